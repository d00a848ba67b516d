"""Ends what has no living parent: local Ray sessions, processes, submitted Ray jobs and Prefect flow runs.

All of it is found from the records that processes leave in the store (`flows/runs/process_record.py`) and from the
owners' names in the folders of local Rays; nothing that is in none of them is touched. The flow runs come last: ending
one frees its concurrency slot, and the next run of the deployment may start at once.
"""

from collections.abc import Iterable
from datetime import timedelta

from flows.runs.orphans.flow_runs import flow_runs
from flows.runs.orphans.found import Found, Look, Orphan
from flows.runs.orphans.lives import lives_of
from flows.runs.orphans.on_this_machine import processes, ray_sessions
from flows.runs.orphans.ray_jobs import ray_jobs
from infra.storage import Store
from infra.work_log import utc_now
from jepa.core.config import Config
from pipelines.store.processes import write_process

FINDERS = (ray_sessions, processes, ray_jobs, flow_runs)


class Reconciliation(Config):
    """What a look at a store, this machine, Ray and Prefect found."""

    orphans: tuple[Orphan, ...] = ()
    left_out: tuple[str, ...] = ()
    """sentences about what could not be looked at, or not be ended"""

    def lines(self) -> list[str]:
        """Returns what was found, why it is an orphan and what was done, a line each."""
        found = [f"{one.kind} {one.name}: {one.why}" + (f"; {one.done}" if one.done else "") for one in self.orphans]
        return found + [f"not looked at: {sentence}" for sentence in self.left_out]


def reconcile(store: Store, silent_after: timedelta, act: bool) -> Reconciliation:
    """Finds what has no living parent, and ends it if it is to act.

    Args:
        store: whose processes are looked at.
        silent_after: age of a heartbeat from which on a process on another machine counts as dead.
        act: whether to end what is found, or only to list it.

    Raises:
        InfraError: the store cannot be read.
    """
    look = Look(lives_of(store, silent_after), silent_after)
    orphans = []
    for finder in FINDERS:
        for found in finder(look):
            orphans.append(_end(found, look) if act else found.orphan)
    for found in _open_records(look, store):
        orphans.append(_end(found, look) if act else found.orphan)
    return Reconciliation(orphans=tuple(orphans), left_out=tuple(look.left_out))


def _end(found: Found, look: Look) -> Orphan:
    try:
        return found.orphan.model_copy(update={"done": found.end()})
    except Exception as error:  # of Ray's and Prefect's many types; the other orphans are still to be ended
        look.left_out.append(f"{found.orphan.kind} {found.orphan.name} could not be ended: {error}")
        look.unfinished.add(found.record)
        return found.orphan


def _open_records(look: Look, store: Store) -> Iterable[Found]:
    """Yields the records that still say that a process runs which has ended; `jepa gc` deletes those that say so."""
    for life in look.ended:
        record = life.record
        if record.status != "running" or record.id in look.unfinished:
            continue
        lost = record.model_copy(update={"status": "lost", "ended": utc_now(), "error": f"{life.why} without a word"})

        def close() -> str:
            write_process(store, lost)  # noqa: B023  # called before the next is yielded
            return "closed"

        yield Found(Orphan(kind="record", name=record.id, why=f"{life.why} without saying so"), close, record.id)
