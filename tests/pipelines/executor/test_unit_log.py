"""Each unit of work leaves a log: how it went, where, how long, and every traceback."""

import logging
import os
import socket
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from jepa.core.config import Config
from jepa.core.errors import InputError
from pipelines.executor import Executor, JobLog, UnitLog, UnitsError, recorded, run_units
from pipelines.executor.unit_log import file_name
from tests.pipelines.executor.path_folder import PathFolder
from tests.pipelines.executor.troubles import Unreadable
from tests.pipelines.executor.units import WAYS, WORKERS, count_tries, die_at_first, fail_at_first, hang, refuse

log = logging.getLogger(__name__)


class Asked(Config):
    """What a job was asked for."""

    size: int = 3


def job_log(path: Path, broken: bool = False) -> tuple[PathFolder, JobLog]:
    folder = PathFolder(path / "logs", broken)
    return folder, JobLog(folder, Asked(), lambda unit: f"part/{unit}")


def say_and_square(unit: int) -> int:
    log.warning("squaring %d", unit)
    np.ones(60_000_000, np.uint8)
    return unit * unit


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_unit_that_succeeds(tmp_path: Path, executor: Executor, workers: int) -> None:
    folder, job = job_log(tmp_path)
    with job:
        run_units(say_and_square, range(3), executor=executor, workers=workers, log=job)
    for unit in range(3):
        record = folder.unit(f"part-{unit}")
        assert (record.status, record.retries, record.failures) == ("done", 0, ())
        assert record.name == f"part/{unit}" and record.run == job.run and record.host == socket.gethostname()
        assert f"WARNING {__name__}: squaring {unit}" in record.messages
        assert record.seconds is not None and 0 <= record.seconds < 60
        assert record.peak_memory_mb is not None and 60 < record.peak_memory_mb < 64_000
        assert (record.pid == os.getpid()) == (workers == 1)


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_retry_then_success_keeps_the_first_traceback(tmp_path: Path, executor: Executor, workers: int) -> None:
    folder, job = job_log(tmp_path)
    with job:
        run_units(partial(fail_at_first, tmp_path), [4, 5], executor=executor, workers=workers, log=job)
    for unit in (4, 5):
        record = folder.unit(f"part-{unit}")
        assert (record.status, record.retries) == ("done", 1)
        (failure,) = record.failures
        assert failure.error == "OSError: once" and failure.started <= record.started
        assert 'raise OSError("once")' in failure.traceback and "in fail_at_first" in failure.traceback


def fail_differently(folder: Path, unit: int) -> int:
    raise ValueError(f"attempt {count_tries(folder, unit)}")


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_failure_keeps_every_traceback_and_the_sentence_names_the_file(
    tmp_path: Path, executor: Executor, workers: int
) -> None:
    folder, job = job_log(tmp_path)
    address = str(tmp_path / "logs" / "part-7.json")
    with pytest.raises(UnitsError, match=f"ValueError: attempt 3, see {address}"), job:
        run_units(partial(fail_differently, tmp_path), [7, 8], executor=executor, workers=workers, retries=2, log=job)
    record = folder.unit("part-7")
    assert (record.status, record.retries) == ("failed", 2)
    assert [failure.error for failure in record.failures] == [f"ValueError: attempt {n}" for n in (1, 2, 3)]
    assert all("in fail_differently" in failure.traceback for failure in record.failures)


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_wrong_input_is_logged_too(tmp_path: Path, executor: Executor, workers: int) -> None:
    folder, job = job_log(tmp_path)
    with pytest.raises(InputError), job:
        run_units(partial(refuse, tmp_path), [1, 2], executor=executor, workers=workers, log=job)
    records = [folder.unit(path.stem) for path in (tmp_path / "logs").glob("part-*.json")]
    assert "failed" in {record.status for record in records}


@pytest.mark.parametrize(("executor", "workers"), WORKERS)
def test_a_killed_worker_leaves_the_word_of_its_driver(tmp_path: Path, executor: Executor, workers: int) -> None:
    folder, job = job_log(tmp_path)
    with job:
        run_units(partial(die_at_first, tmp_path), range(4), executor=executor, workers=workers, log=job)
    record = folder.unit("part-2")
    assert (record.status, record.retries) == ("done", 1)
    (failure,) = record.failures
    assert "died" in failure.error and failure.traceback == "" and failure.pid not in (0, record.pid, os.getpid())


@pytest.mark.slow
def test_a_stalled_worker_and_an_unreadable_result_are_logged_by_the_driver(tmp_path: Path) -> None:
    folder, job = job_log(tmp_path)
    with pytest.raises(UnitsError), job:
        run_units(hang, range(3), workers=2, stall_seconds=3, retries=0, log=job)
    record = folder.unit("part-1")
    assert record.status == "failed" and "no sign of progress for 3 s" in record.failures[-1].error
    with pytest.raises(UnitsError), job_log(tmp_path)[1] as again:
        run_units(return_unreadable, range(2), workers=2, retries=0, log=again)
    record = folder.unit("part-1")
    assert record.status == "failed" and "cannot be read by the driver" in record.failures[-1].error


def return_unreadable(_: int) -> Unreadable:
    return Unreadable()


@pytest.mark.parametrize(("executor", "workers"), WAYS[:2])
def test_a_log_that_cannot_be_written_fails_nothing(
    tmp_path: Path, executor: Executor, workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    _, job = job_log(tmp_path, broken=True)
    with job:
        tries = partial(fail_at_first, tmp_path)
        assert run_units(tries, [4, 5], executor=executor, workers=workers, log=job) == [4, 5]
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == ["the job's log cannot be written (the disk is full); the work goes on"]


def test_an_interrupt_is_no_failure(tmp_path: Path) -> None:
    folder = PathFolder(tmp_path / "logs")
    with pytest.raises(KeyboardInterrupt), recorded(UnitLog(folder, "run", "u")) as messages:
        assert folder.unit("u").status == "running"
        messages.add("half way")
        raise KeyboardInterrupt
    record = folder.unit("u")
    assert record.status == "interrupted" and record.failures == () and record.messages[0] == "half way"


def test_every_name_becomes_a_file() -> None:
    assert file_name("train/shard-000003") == "train-shard-000003"
    assert file_name("m0-s1-probing-a=b") == "m0-s1-probing-a=b"
    assert file_name("job") not in ("job", "") and file_name("../..") not in ("", ".", "..")
    long = {file_name(f"{'x' * 300}{number}") for number in range(3)}
    assert len(long) == 3 and max(map(len, long)) < 150
