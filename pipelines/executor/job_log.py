"""The log of a job: one document that says what it is, how far it is and how it ended, renewed while the job lives."""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Any

from pydantic import BaseModel

from infra.observability.event_log import bound, event
from infra.observability.metrics import Meter
from infra.processes.background import BackgroundThread
from infra.progress import PhaseState
from infra.version import code_version
from infra.work_log import JOB_FILE, JobRecord, JobStatus, LogFolder, utc_now
from pipelines.executor.failure import LOG_NOTE, UnitsError
from pipelines.executor.main_guard import refuse_worker_start_up
from pipelines.executor.unit_log import UnitLog

HEARTBEAT_SECONDS = 10.0
"""Time between two writes of a job that runs; `jepa status` takes one that is silent for much longer for lost."""

log = logging.getLogger(__name__)


class JobLog:
    """Says that a job runs for as long as its block lasts, and how it ended; it is also a sink of progress."""

    def __init__(
        self,
        folder: LogFolder,
        config: BaseModel,
        unit_name: Callable[[Any], str] = str,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Writes nothing yet.

        Args:
            folder: where the log lies.
            config: what was asked for.
            unit_name: a short name of a unit of work, which becomes its file's.
            about: the `dataset` and the `model` that the work is about, for log lines; exactly, by version or digest.
        """
        self.folder, self._unit_name = folder, unit_name
        now = utc_now()
        self._record = JobRecord(
            kind=folder.kind,
            name=folder.name,
            run=uuid.uuid4().hex[:8],
            status="running",
            config=config.model_dump(mode="json"),
            host=socket.gethostname(),
            pid=os.getpid(),
            started=now,
            heartbeat=now,
            code_version=code_version(),
        )
        self._context = {"run": self._record.run, "job": f"{folder.kind}-{folder.name}", **(about or {})}
        self._bound = ExitStack()
        self._lock = threading.Lock()
        self._heard = time.monotonic()
        self._over = threading.Event()
        self._thread = BackgroundThread(self._keep_alive, "job-log")
        self._complained = False

    @property
    def run(self) -> str:
        """The id of this run of the job, which its units' logs carry."""
        return self._record.run

    def __enter__(self) -> "JobLog":
        refuse_worker_start_up()
        self._bound.enter_context(bound(**self._context))
        event("job started")
        self._meter = Meter("jepa_run_", self._context["job"])
        self._meter.set("heartbeat_age_seconds", 0.0)
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.leave()
        self._meter.set("heartbeat_age_seconds", 0.0)  # a job that is over is not silent
        status: JobStatus = "done"
        if error is not None:
            status = "interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "failed"
            self._note(error)
        self._change(status=status, ended=utc_now(), error=f"{type(error).__name__}: {error}" if error else "")
        self._write()
        counts = {name: getattr(self._record, name) for name in ("total", "done", "failed", "retries", "error")}
        event(f"job {status}", logging.INFO if status == "done" else logging.ERROR, **counts)
        self._bound.close()

    def unit(self, unit: Any) -> UnitLog:
        """Returns the log of a unit of work."""
        return UnitLog(self.folder, self.run, self._unit_name(unit), context=self._context)

    def heard(self) -> None:
        """Notes that a worker has shown progress, be it only by its heartbeat."""
        self._heard = time.monotonic()

    def add_units(self, count: int) -> None:
        """Counts units that are to be done."""
        self._change(total=self._record.total + count)
        self._write()

    def unit_done(self) -> None:
        """Counts a unit that is done; raises the error by which the thread that keeps the log alive has ended."""
        self._thread.check()
        self._change(done=self._record.done + 1)

    def unit_failed(self, retried: bool) -> None:
        """Counts a failed attempt: as a retry, or as a unit that failed for good."""
        if retried:
            self._change(retries=self._record.retries + 1)
        else:
            self._change(failed=self._record.failed + 1)

    def begin(self, phase: PhaseState) -> None:
        """Keeps the line that people see of a phase, as `update` and `end` do; see `infra.progress.Sink`."""
        self._show(phase)

    def update(self, phase: PhaseState) -> None:
        self._show(phase)

    def end(self, phase: PhaseState, failed: bool) -> None:
        self._show(phase)

    def _show(self, phase: PhaseState) -> None:
        self.heard()
        self._change(progress=phase.text())

    def _note(self, error: BaseException) -> None:
        """Has the sentence on the terminal name the log, unless it names those of units."""
        named = any(note.startswith(LOG_NOTE) for note in getattr(error, "__notes__", ()))
        if not named and not isinstance(error, UnitsError):
            error.add_note(f"{LOG_NOTE}{self.folder.address(JOB_FILE)}")

    def _change(self, **fields: int | str | datetime | None) -> None:
        with self._lock:
            self._record = self._record.model_copy(update=fields)

    def _keep_alive(self) -> None:
        while not self._over.wait(HEARTBEAT_SECONDS):
            self._meter.set("heartbeat_age_seconds", time.monotonic() - self._heard)
            self._write()

    def _write(self) -> None:
        self._change(heartbeat=utc_now())
        try:
            self.folder.write_job(self._record)
        except Exception as error:
            if not self._complained:
                log.warning("the job's log cannot be written (%s); the work goes on", error)
            self._complained = True
