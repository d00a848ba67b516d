"""A job says in its log that it runs, how far it is, and how it ended."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

import pipelines.executor.job_log as job_log
from infra.errors import InfraError
from infra.progress import Progress
from pipelines.executor import JobLog, UnitsError, run_units
from tests.pipelines.executor.path_folder import PathFolder
from tests.pipelines.executor.test_unit_log import Asked
from tests.pipelines.executor.units import fail_at_three, square


def test_it_says_what_runs_and_how_it_ended(tmp_path: Path) -> None:
    folder = PathFolder(tmp_path)
    job = JobLog(folder, Asked(size=5))
    assert not (tmp_path / "job.json").exists()
    with job, Progress(job).phase("squares", 4, "numbers") as phase:
        running = folder.job()
        assert (running.status, running.kind, running.name, running.config) == ("running", "test", "t0", {"size": 5})
        assert running.ended is None and running.code_version and running.pid
        run_units(square, range(4), log=job, on_result=lambda *_: phase.advance(loss=0.5))
    ended = folder.job()
    assert (ended.status, ended.total, ended.done, ended.failed, ended.error) == ("done", 4, 4, 0, "")
    assert ended.ended is not None and ended.ended >= ended.started
    assert ended.progress.startswith("squares: 4/4 numbers (100 %)") and "loss 0.5" in ended.progress


def test_failed_units_and_retries_are_counted(tmp_path: Path) -> None:
    folder = PathFolder(tmp_path)
    with pytest.raises(UnitsError), JobLog(folder, Asked()) as job:
        run_units(fail_at_three, range(5), retries=2, log=job)
    record = folder.job()
    assert (record.status, record.total, record.done, record.failed, record.retries) == ("failed", 5, 4, 1, 2)
    assert record.error.startswith("UnitsError: 1 of 5 units failed")


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), "interrupted"), (SystemExit(143), "interrupted"), (InfraError("gone"), "failed")],
)
def test_an_end_before_the_end_is_said(tmp_path: Path, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), JobLog(PathFolder(tmp_path), Asked()):
        raise error
    assert PathFolder(tmp_path).job().status == status


def test_its_heart_beats_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_log, "HEARTBEAT_SECONDS", 0.05)
    folder = PathFolder(tmp_path)
    with JobLog(folder, Asked()):
        first = folder.job().heartbeat
        deadline = time.monotonic() + 20
        while folder.job().heartbeat == first and time.monotonic() < deadline:
            time.sleep(0.02)
        assert folder.job().heartbeat > first and folder.job().status == "running"


def test_its_metric_says_how_long_no_worker_has_shown_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ages: list[float] = []

    class Recorder:
        def __init__(self, prefix: str, subject: str) -> None:
            assert (prefix, subject) == ("jepa_run_", "test-t0")

        def set(self, name: str, value: float) -> None:
            assert name == "heartbeat_age_seconds"
            ages.append(value)

    def wait_for_age(suits: Callable[[float], bool]) -> None:
        deadline, seen = time.monotonic() + 60, len(ages)
        while not any(suits(age) for age in ages[seen:]):
            assert time.monotonic() < deadline, ages
            time.sleep(0.02)

    monkeypatch.setattr(job_log, "Meter", Recorder)
    monkeypatch.setattr(job_log, "HEARTBEAT_SECONDS", 0.05)
    with JobLog(PathFolder(tmp_path), Asked()) as job:
        wait_for_age(lambda age: age > 0.3)
        silent = max(ages)
        job.heard()
        wait_for_age(lambda age: age < silent)
        with Progress(job).phase("squares", 1, "numbers") as phase:
            phase.advance()
    assert ages[0] == ages[-1] == 0.0
