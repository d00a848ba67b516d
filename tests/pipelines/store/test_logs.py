"""What has run is read from the store alone, in a folder and on S3."""

import pickle
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from infra.work_log import JobRecord, UnitRecord
from jepa.core.errors import InputError
from pipelines.collect import collect
from pipelines.executor import JobLog, UnitsError, run_units
from pipelines.store.logs import LOST_AFTER, LogFolder, job_status, job_statuses, unit_statuses
from tests.pipelines.executor.test_unit_log import Asked
from tests.pipelines.executor.units import fail_at_first, fail_at_three
from tests.pipelines.small_dataset import small_config

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def job_record(status: str = "running", *, age: float = 0, heartbeat: float = 0, run: str = "r2") -> JobRecord:
    started = NOW - timedelta(seconds=age)
    return JobRecord.model_validate(
        {
            "kind": "collect",
            "name": "d0",
            "run": run,
            "status": status,
            "config": {},
            "host": "h",
            "pid": 1,
            "started": started,
            "heartbeat": NOW - timedelta(seconds=heartbeat),
            "code_version": "0",
        }
    )


def unit_record(name: str, status: str, run: str = "r2") -> UnitRecord:
    fields = {"name": name, "run": run, "status": status, "host": "h", "pid": 2, "started": NOW}
    return UnitRecord.model_validate(fields)


def test_a_job_and_its_units_come_back(store: Store, tmp_path: Path) -> None:
    assert job_statuses(store, NOW) == [] and job_status(store, "collect-d0", NOW) is None
    with JobLog(LogFolder(store, "collect", "d0"), Asked(size=4), lambda unit: f"train/shard-{unit}") as log:
        run_units(partial(fail_at_first, tmp_path), [1, 2], log=log)
    sentence = pytest.raises(UnitsError, match=rf"see {store.uri}/logs/evaluate-m0/3\.json")
    with sentence, JobLog(LogFolder(store, "evaluate", "m0"), Asked()) as log:
        run_units(fail_at_three, [3], retries=0, log=log)
    assert store.list("logs/") == [
        "logs/collect-d0/job.json",
        "logs/collect-d0/train-shard-1.json",
        "logs/collect-d0/train-shard-2.json",
        "logs/evaluate-m0/3.json",
        "logs/evaluate-m0/job.json",
    ]
    evaluated, collected = job_statuses(store, datetime.now(UTC))
    assert (collected.job, collected.status, collected.record.config) == ("collect-d0", "done", {"size": 4})
    assert (evaluated.job, evaluated.status, evaluated.record.failed) == ("evaluate-m0", "failed", 1)
    units = unit_statuses(store, collected)
    assert [(unit.record.name, unit.status, unit.record.retries) for unit in units] == [
        ("train/shard-1", "done", 1),
        ("train/shard-2", "done", 1),
    ]
    (unit,) = unit_statuses(store, evaluated)
    assert unit.status == "failed" and "in fail_at_three" in unit.record.failures[0].traceback
    assert unit.address == store.address("logs/evaluate-m0/3.json")


@pytest.mark.parametrize(
    ("status", "heartbeat", "shown", "seconds"),
    [
        ("running", 5, "running", 300),
        ("running", LOST_AFTER.total_seconds() + 1, "lost", 239),
        ("done", 5000, "done", 300),
        ("failed", 5000, "failed", 300),
    ],
)
def test_a_job_without_a_heartbeat_is_lost(
    tmp_path: Path, status: str, heartbeat: float, shown: str, seconds: float
) -> None:
    store = open_store(str(tmp_path))
    record = job_record(status, age=300, heartbeat=heartbeat)
    LogFolder(store, "collect", "d0").write_job(record.model_copy(update={"ended": None if heartbeat < 70 else NOW}))
    if shown == "lost":
        LogFolder(store, "collect", "d0").write_job(record)
    job = job_status(store, "collect-d0", NOW)
    assert job is not None and (job.status, job.seconds) == (shown, seconds)


@pytest.mark.parametrize(("heartbeat", "own"), [(0, "running"), (3600, "lost")])
def test_a_unit_runs_only_while_its_job_does(tmp_path: Path, heartbeat: float, own: str) -> None:
    store = open_store(str(tmp_path))
    folder = LogFolder(store, "collect", "d0")
    folder.write_job(job_record(heartbeat=heartbeat))
    for name, status, run in [("a", "running", "r1"), ("b", "running", "r2"), ("c", "done", "r1")]:
        folder.write_unit(name, unit_record(name, status, run))
    store.write("logs/collect-d0/torn.json", b'{"name": "torn"')
    job = job_status(store, "collect-d0", NOW)
    assert job is not None
    units = unit_statuses(store, job)
    assert [(unit.record.name, unit.status, unit.earlier) for unit in units] == [
        ("a", "lost", True),
        ("b", own, False),
        ("c", "done", True),
    ]


def test_a_worker_opens_the_store_once(store: Store) -> None:
    folder = LogFolder(store, "collect", "d0")
    first, second = (pickle.loads(pickle.dumps(folder)) for _ in range(2))
    assert first.store is second.store and (first.kind, first.name) == ("collect", "d0")
    first.write_job(job_record())
    assert store.list() == ["logs/collect-d0/job.json"]


def test_a_record_of_later_code_is_read(tmp_path: Path) -> None:
    record = job_record("done").model_dump(mode="json") | {"carbon_grams": 3}
    assert JobRecord.model_validate(record).status == "done"


def test_no_log_lies_outside_its_folder() -> None:
    with pytest.raises(InputError, match=r"collect name '\.\./x' is not usable"):
        LogFolder(None, "collect", "../x")  # type: ignore[arg-type]


def test_collecting_leaves_a_log_for_each_shard(store: Store) -> None:
    collect(small_config(episodes=12), store)
    job = job_status(store, "collect-small", datetime.now(UTC))
    assert (
        job is not None and job.status == "done" and job.record.done == job.record.total == len(store.list("logs/")) - 1
    )
    assert job.record.config["episodes"] == 12 and "12/12 episodes (100 %)" in job.record.progress
    assert {unit.status for unit in unit_statuses(store, job)} == {"done"}
