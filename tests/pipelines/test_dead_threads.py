"""An error in any thread of a job ends the job, in a bounded time, with that error."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.errors import InfraError
from pipelines.executor import JobLog, job_log, run_units
from pipelines.loader.official.prefetch import Prefetcher
from pipelines.pretrain.cluster.mailbox import Mailbox
from pipelines.pretrain.cluster.preemption import PreemptionSignal, preemption_signal
from pipelines.pretrain.cluster.ray_train import _Fit
from pipelines.pretrain.records.background_writer import BackgroundWriter, Commit
from tests.pipelines.executor.path_folder import PathFolder
from tests.pipelines.executor.test_unit_log import Asked
from tests.pipelines.executor.units import square

pytestmark = pytest.mark.timeout(60)
"""What is tested here hangs if it is wrong."""


class Killed(BaseException):
    """Ends a thread as nothing else does."""


def die(*_: Any, **__: Any) -> Any:
    raise Killed("in a thread")


def writer(_: Path, __: pytest.MonkeyPatch) -> None:
    written = BackgroundWriter()
    written.put(Commit("here", die))
    written.wait()


def writer_whose_warning_fails(_: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("pipelines.pretrain.records.background_writer.RETRY_SECONDS", ())

    def fail() -> None:
        raise InfraError("the store is full")

    written = BackgroundWriter(die)
    written.put(Commit("here", fail))
    written.wait()


def prefetcher(_: Path, __: pytest.MonkeyPatch) -> None:
    Prefetcher[int](die, 2).next()


def preemption(_: Path, __: pytest.MonkeyPatch) -> None:
    with PreemptionSignal([die]) as received:
        while not received.received:
            time.sleep(0.01)


def ray_fit(_: Path, __: pytest.MonkeyPatch) -> None:
    fit = object.__new__(_Fit)
    fit._ended, fit._error, fit.left_behind = threading.Event(), None, False
    fit._run(type("Trainer", (), {"fit": die})())
    with preemption_signal((), sigterm=False) as received:
        lost = fit.wait(received, lambda: True, lambda: None)
    assert lost is not None
    raise lost


def messages(_: Path, __: pytest.MonkeyPatch) -> None:
    mailbox = object.__new__(Mailbox)
    fit = object.__new__(_Fit)
    fit._ended = threading.Event()  # never set: the workers train on
    with (
        preemption_signal((), sigterm=False) as received,
        mailbox.delivering(lambda kind, content: None, die) as check,
    ):
        fit.wait(received, lambda: True, check)


def log_of_a_job(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(job_log, "HEARTBEAT_SECONDS", 0.01)
    patch.setattr(JobLog, "_keep_alive", die)
    with JobLog(PathFolder(folder), Asked()) as log:
        log._thread.leave()
        log.unit_done()


def listener(_: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("multiprocessing.connection.Connection.recv_bytes", die)
    run_units(square, range(2), workers=2, retries=0)


@pytest.mark.parametrize(
    "job",
    [
        writer,
        writer_whose_warning_fails,
        prefetcher,
        preemption,
        ray_fit,
        messages,
        log_of_a_job,
        pytest.param(listener, marks=pytest.mark.slow),
    ],
)
def test_its_error_ends_the_job(
    job: Callable[[Path, pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    with pytest.raises(InfraError, match=r"ended by Killed\('in a thread'\)"):
        job(tmp_path, monkeypatch)
    assert time.monotonic() - began < 40


def test_a_waiting_loader_hears_an_interrupt(tmp_path: Path) -> None:
    script = """
        import threading
        from pipelines.loader.native.pipeline import Pipeline

        def hang():
            print("waits", flush=True)
            threading.Event().wait()
            yield

        running = Pipeline(hang(), None, None, threads=2, slots=1, depth=2, prefetch=print)
        try:
            running.next()
        finally:
            running.close()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "waits\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=20)
        finally:
            process.kill()
    assert "KeyboardInterrupt" in said
