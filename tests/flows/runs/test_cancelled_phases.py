"""A flow run that is cancelled in any phase leaves no process, and the same parameters end as if undisturbed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.storage import Store, open_store
from infra.work_log import utc_now
from pipelines.reports import read_table
from pipelines.store.logs import job_status
from pipelines.store.processes import process_records
from tests.flows.conftest import Ask, Worker, wait_for
from tests.flows.jobs import alive_after, finished
from tests.flows.runs.engine import engine_of, set_state, state_of
from tests.flows.runs.held import Held
from tests.golden.figures import TIMED
from tests.pipelines.small_dataset import stored_bytes

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

LOCAL = {"executor": "local"}
ENDS = ("Completed", "Failed", "Crashed", "Cancelled")
COLLECT: dict[str, Any] = {
    "world": "held_room",
    "name": "d",
    "episodes": 40,
    "steps": 40,
    "image_size": 32,
    "test_share": 0.2,
    "actors": 2,
    **LOCAL,
}
JOB: dict[str, Any] = {
    "collect": COLLECT,
    "pretrain": {
        "dataset": "d",
        "name": "m",
        "recipe": "smoke",
        "objective": "held",
        "steps": 30,
        "workers": 1,
        **LOCAL,
    },
    "evaluate": {"model": "m", "protocol": "tiny-v1", "workers": 2, **LOCAL},
    "report": {},
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path / "modules")


def figures(store: Store) -> Any:
    """Returns all metric rows but what a clock says."""
    table = read_table(store, "metrics").compute()
    table = table[~table.metric.isin(TIMED)].drop(columns=["created_at", "seconds"])
    return table.sort_values(list(table.columns)).to_csv(index=False)


def cancelled_in(job: str, run: str, store: Store, started: Any, ask: Ask) -> None:
    """Cancels a run of a worker in the middle of a job, and waits until all of it has ended."""
    engine = engine_of(started)

    def at_work() -> bool:
        assert state_of(ask, run) not in ENDS, ask(f"flow_runs/{run}", method="GET")["state"]
        status = job_status(store, job, utc_now())
        if status is None or status.status != "running" or status.record.pid != engine.pid:
            return False
        # The others work in processes of their own, which are to be met, too.
        recorded = any(one.flow_run == run for one in process_records(store))
        return recorded and (job.startswith("pretrain") or len(engine.children()) > 0)

    wait_for(at_work, f"the job {job}", 300)
    processes = [engine, *engine.children(recursive=True)]
    assert set_state(ask, run, "CANCELLING") == "ACCEPT"
    wait_for(lambda: state_of(ask, run) == "Cancelled", "the cancellation", 240)
    assert alive_after(processes, 60) == []
    ended = [one for one in process_records(store) if one.flow_run == run]
    assert [one.status for one in ended] == ["interrupted"]
    job_after = job_status(store, job, utc_now())
    assert job_after is not None and job_after.status in ("interrupted", "failed")


@pytest.mark.timeout(900)
def test_a_collection_that_was_cancelled_goes_on_to_the_same_bytes(
    worker: Worker, start_run: Callable[..., str], ask: Ask, store: Store, held: Held, tmp_path: Path
) -> None:
    held.hold("world")
    config = COLLECT | {"episodes": 20, "steps": 10}
    run = start_run("collect/collect", store=store.uri, config=config)
    with worker(tmp_path / "worker.log", **held.variables) as started:
        cancelled_in("collect-d", run, store, started, ask)
    assert not store.exists("datasets/d/manifest.json")
    held.release()
    undisturbed = open_store(str(tmp_path / "undisturbed"))
    for one, actors in ((store, 2), (undisturbed, 1)):
        arguments = [
            "collect",
            "--store",
            one.uri,
            *(f"--{name.replace('_', '-')}={value}" for name, value in (config | {"actors": actors}).items()),
        ]
        done = finished(arguments, tmp_path, 300, **held.variables)
        assert done.returncode == 0, done.stderr
    assert stored_bytes(store, "d") == stored_bytes(undisturbed, "d")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_job_that_was_cancelled_in_each_phase_ends_with_the_figures_of_an_undisturbed_one(
    worker: Worker, start_run: Callable[..., str], ask: Ask, store: Store, held: Held, tmp_path: Path
) -> None:
    undisturbed = open_store(str(tmp_path / "undisturbed"))
    with worker(tmp_path / "worker.log", **held.variables) as started:
        for job, what in {"collect-d": "world", "pretrain-m": "training", "evaluate-m": "world"}.items():
            held.hold(what)
            run = start_run("world-model/world-model", store=store.uri, config=JOB)
            cancelled_in(job, run, store, started, ask)
        held.release()
        for one in (store, undisturbed):
            run = start_run("world-model/world-model", store=one.uri, config=JOB)
            wait_for(lambda: state_of(ask, run) in ENDS, "the end of the job", 600)  # noqa: B023
            assert state_of(ask, run) == "Completed", ask(f"flow_runs/{run}", method="GET")["state"]
    assert stored_bytes(store, "d") == stored_bytes(undisturbed, "d")
    # As it stands in the file: this process does not have the objective.
    weights = [json.loads(one.read("models/m/config.json"))["weights_sha256"] for one in (store, undisturbed)]
    assert weights[0] == weights[1]
    assert figures(store) == figures(undisturbed)
