"""A job says in its log that it runs, how far it is, and how it ended."""

import time
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
