"""Whether the processes that a store knows still live."""

import os
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from flows.runs.process_record import HEARTBEAT_SECONDS
from infra.processes.identity import is_running
from infra.progress import announce
from infra.storage import Store
from infra.work_log import ProcessRecord, utc_now
from pipelines.store.processes import process_records

PROOF_SECONDS = 2.5 * HEARTBEAT_SECONDS
"""After this time a record that seems silent is read again: the clock of its machine may be behind ours."""
State = Literal["living", "dead", "silent"]


@dataclass(frozen=True)
class Life:
    """A recorded process as it is now: `dead` was seen on this machine, `silent` is how it looks from elsewhere."""

    record: ProcessRecord
    state: State
    quiet: timedelta
    """time since its last heartbeat"""

    @property
    def here(self) -> bool:
        """Whether it ran on this machine as this user, so that it and what it has started can be seen."""
        return _is_running(self.record) is not None

    @property
    def ended(self) -> bool:
        """Whether nothing of it can be at work."""
        return self.state != "living"

    @property
    def name(self) -> str:
        """What it is, for people; who writes to the store can put anything there, but no escape sequences here."""
        name = f"{self.record.what} (process {self.record.process.pid} on {self.record.process.host})"
        return "".join(character if character.isprintable() else "?" for character in name)

    @property
    def why(self) -> str:
        """Why it counts as ended."""
        if self.state == "silent":
            return f"{self.name} has been silent for {self.quiet.total_seconds() / 60:.0f} minutes"
        return f"{self.name} has ended"


def lives_of(store: Store, silent_after: timedelta) -> list[Life]:
    """Returns the processes that a store knows; what seems silent is looked at twice.

    Raises:
        InfraError: the store cannot be read.
    """
    now = utc_now()
    lives = [life_of(record, now, silent_after) for record in process_records(store)]
    silent = [life for life in lives if life.state == "silent" and life.record.status == "running"]
    if not silent:
        return lives
    announce(f"{len(silent)} processes seem silent; looking again in {PROOF_SECONDS:g} s")
    time.sleep(PROOF_SECONDS)
    later = {record.id: record for record in process_records(store)}
    return [renewed(life, later.get(life.record.id)) for life in lives]


def life_of(record: ProcessRecord, now: datetime, silent_after: timedelta) -> Life:
    """Returns whether a process lives: by its identity on this machine, elsewhere by its heartbeat."""
    running, quiet = _is_running(record), now - record.heartbeat
    if running is None:
        return Life(record, "silent" if quiet > silent_after else "living", quiet)
    return Life(record, "living" if running else "dead", quiet)


def renewed(life: Life, later: ProcessRecord | None) -> Life:
    """Returns a life as a later look at its record shows it: one that is renewed lives, whatever the two clocks say."""
    if life.state == "silent" and later is not None and later.heartbeat != life.record.heartbeat:
        return replace(life, record=later, state="living", quiet=timedelta())
    return life


def _is_running(record: ProcessRecord) -> bool | None:
    """Returns whether it runs; None where that cannot be seen: a system may hide the processes of other users."""
    return is_running(record.process) if record.user == os.getuid() else None
