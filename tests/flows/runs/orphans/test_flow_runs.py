"""A flow run whose process is gone is found on a real server and its concurrency slot freed; any other is left."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.runs.orphans import Reconciliation, reconcile
from infra.processes.identity import ProcessIdentity, this_process
from infra.storage import Store, open_store
from infra.work_log import ProcessRecord, utc_now
from pipelines.store.processes import process_records, write_process
from tests.flows.conftest import Ask, Worker, wait_for
from tests.flows.jobs import alive_after, children_of
from tests.flows.runs.engine import engine_of, gone_after, set_state, state_of
from tests.pipelines.small_dataset import small_dataset

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

TEN_MINUTES = timedelta(minutes=10)
TRAINING = {"dataset": "d0", "recipe": "smoke", "executor": "local", "workers": 1}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def look(prefect_server: dict[str, str], store: Store) -> Iterator[Callable[..., Reconciliation]]:
    """Reconciles with the server."""
    with temporary_settings({PREFECT_API_URL: prefect_server["PREFECT_API_URL"]}):
        yield lambda act: reconcile(store, TEN_MINUTES, act=act)


@pytest.fixture
def queued(start_run: Callable[..., str], ask: Ask) -> Iterator[Callable[[], str]]:
    """Makes runs of a deployment with one slot for a worker that is none of a real pool's; they are deleted."""
    made: list[str] = []

    def create() -> str:
        made.append(start_run("pretrain/pretrain"))
        return made[-1]

    yield create
    for run in made:
        set_state(ask, run, "CRASHED")
        ask(f"flow_runs/{run}", method="DELETE")


def record(name: str, flow_run: str, process: ProcessIdentity, **fields: Any) -> ProcessRecord:
    now = utc_now()
    known = {
        "id": name,
        "what": "flow pretrain",
        "status": "running",
        "process": process,
        "user": os.getuid(),
        "started": now,
    }
    return ProcessRecord.model_validate({**known, "heartbeat": now, "flow_run": flow_run, **fields})


def begin(ask: Ask, run: str) -> None:
    """Does what a worker and then its run do."""
    assert [set_state(ask, run, kind) for kind in ("PENDING", "RUNNING")] == ["ACCEPT", "ACCEPT"]


DEAD = dataclasses.replace(this_process(), started="1")
"""A process whose number another one has now."""
FAR = dataclasses.replace(this_process(), host="far")


@pytest.mark.parametrize(("asked_for", "becomes"), [("RUNNING", "Crashed"), ("CANCELLING", "Cancelled")])
def test_the_slot_of_a_dead_process_is_freed(
    asked_for: str, becomes: str, queued: Callable[[], str], ask: Ask, store: Store, look: Callable[..., Reconciliation]
) -> None:
    first, second = queued(), queued()
    begin(ask, first)
    assert set_state(ask, second, "PENDING") != "ACCEPT"
    write_process(store, record("a", first, DEAD))
    if asked_for == "CANCELLING":
        set_state(ask, first, asked_for)
    listed = look(act=False)
    assert [one.kind for one in listed.orphans] == ["flow run", "record"]
    assert state_of(ask, first) != becomes and set_state(ask, second, "PENDING") != "ACCEPT"
    ended = look(act=True)
    assert [one.done for one in ended.orphans] == [f"set to {becomes}", "closed"] and ended.left_out == ()
    assert state_of(ask, first) == becomes and set_state(ask, second, "PENDING") == "ACCEPT"
    assert look(act=True) == Reconciliation() and state_of(ask, second) == "Pending"


def test_a_flow_run_that_somebody_works_on_is_left(
    queued: Callable[[], str], ask: Ask, store: Store, look: Callable[..., Reconciliation]
) -> None:
    run, long_ago = queued(), utc_now() - timedelta(hours=1)
    before = {"started": long_ago, "heartbeat": long_ago}
    begin(ask, run)
    # Processes that were gone when it was begun; the one that began it has not said so yet.
    write_process(store, record("dead", run, DEAD, **before))
    write_process(store, record("silent", run, FAR, **before))
    assert [one.kind for one in look(act=True).orphans] == ["record", "record"] and state_of(ask, run) == "Running"
    write_process(store, record("dead", run, DEAD))
    for process in (this_process(), FAR):
        write_process(store, record("works", run, process))
        assert "flow run" not in [one.kind for one in look(act=True).orphans] and state_of(ask, run) == "Running"
    write_process(store, record("elsewhere", "00000000-0000-4000-8000-000000000000", DEAD))
    assert look(act=True).left_out == () and state_of(ask, run) == "Running"


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_run_and_its_worker_that_are_killed_let_the_next_one_start(
    worker: Worker,
    start_run: Callable[..., str],
    ask: Ask,
    store: Store,
    look: Callable[..., Reconciliation],
    tmp_path: Path,
) -> None:
    small_dataset(store, name="d0", steps=40)
    first = start_run("pretrain/pretrain", store=store.uri, config={**TRAINING, "name": "first", "steps": 100_000})
    left: list[psutil.Process] = []
    with worker(tmp_path / "worker.log") as started:
        engine = engine_of(started)
        wait_for(lambda: [one for one in process_records(store) if one.flow_run == first], "the record", 200)
        wait_for(lambda: state_of(ask, first) == "Running", "the run")
        left = children_of(started)
        started.kill()
        engine.kill()  # as the system does when memory runs out
        assert gone_after(engine, 60)
    assert state_of(ask, first) == "Running"
    second = start_run("pretrain/pretrain", store=store.uri, config={**TRAINING, "name": "second", "steps": 2})
    with worker(tmp_path / "worker.log"):
        wait_for(lambda: state_of(ask, second) == "AwaitingConcurrencySlot", "the queue", 100)
        kinds = [one.kind for one in look(act=True).orphans]
        assert kinds.count("flow run") == 1 and state_of(ask, first) == "Crashed"
        assert alive_after(left, 60) == []
        wait_for(lambda: state_of(ask, second) == "Completed", "the second run", 300)
