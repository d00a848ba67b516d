"""The log of a unit of work: written when an attempt begins and when it ends, by the process that does the work.

A log that cannot be written never fails a unit.
"""

import logging
import os
import re
import resource
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from infra.observability.event_log import bound, event
from infra.work_log import JOB_FILE, FailedAttempt, LogFolder, UnitRecord, UnitStatus, utc_now
from pipelines.executor.failure import LOG_NOTE, Failure
from pipelines.executor.messages import Messages, captured_messages

log = logging.getLogger(__name__)

NAME_CHARACTERS = 120


@dataclass(frozen=True)
class UnitLog:
    """Where one unit's log is written, and what is known of its earlier attempts; it travels to the worker."""

    folder: LogFolder
    run: str
    name: str
    failures: tuple[FailedAttempt, ...] = field(default=())
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    """what log lines of the unit say beside its name: run, job, dataset, model"""

    @property
    def address(self) -> str:
        """Where the log is, for people."""
        return self.folder.address(file_name(self.name))

    def after(self, failure: Failure) -> "UnitLog":
        """Returns the log for the attempt after one that failed."""
        return replace(self, failures=(*self.failures, failure.attempt))

    def write_failure(self, failure: Failure) -> None:
        """Writes the failure of an attempt whose worker died and could not say so itself."""
        attempt = failure.attempt
        failed = replace(self, failures=(*self.failures, attempt))
        failed.write("failed", attempt.host, attempt.pid, attempt.started, seconds=attempt.seconds)

    def write(
        self,
        status: UnitStatus,
        host: str,
        pid: int,
        started: datetime,
        *,
        seconds: float | None = None,
        peak_memory_mb: float | None = None,
        messages: tuple[str, ...] = (),
    ) -> None:
        """Writes the log, or says in our own log that it could not."""
        try:
            record = UnitRecord(
                name=self.name,
                run=self.run,
                status=status,
                host=host,
                pid=pid,
                started=started,
                seconds=seconds,
                peak_memory_mb=peak_memory_mb,
                # The failure that ended the unit is no retry.
                retries=len(self.failures) - (status == "failed"),
                messages=messages,
                failures=self.failures,
            )
            self.folder.write_unit(file_name(self.name), record)
        except Exception as error:
            log.debug("the log of %s cannot be written: %s", self.name, error)


@contextmanager
def recorded(unit: UnitLog | None, *, in_worker: bool = False) -> Iterator[Messages]:
    """Runs one attempt at a unit of work in the block, and writes how it went; exceptions pass through.

    Args:
        unit: the log; None records nothing.
        in_worker: this process does nothing else, so the peak of its memory may be counted from here on.

    Yields:
        What collects the attempt's messages, for more to be added.
    """
    if unit is None:
        yield Messages()
        return
    with bound(**unit.context, unit=unit.name):
        yield from _recorded(unit, in_worker)


def _recorded(unit: UnitLog, in_worker: bool) -> Iterator[Messages]:
    host, pid, started = socket.gethostname(), os.getpid(), utc_now()
    if in_worker:
        _forget_peak()
    unit.write("running", host, pid, started)
    status: UnitStatus = "failed"
    messages = Messages()
    try:
        with captured_messages(messages):
            yield messages
        status = "done"
    except (KeyboardInterrupt, SystemExit) as error:
        status = "interrupted"
        messages.add(f"{type(error).__name__}: {error}")
        raise
    except BaseException as error:
        unit = unit.after(Failure.of(error, started))
        error.add_note(f"{LOG_NOTE}{unit.address}")
        raise
    finally:
        seconds = round((utc_now() - started).total_seconds(), 3)
        peak = _peak_mb()
        unit.write(status, host, pid, started, seconds=seconds, peak_memory_mb=peak, messages=tuple(messages.lines))
        _say_end(unit, status, seconds=seconds, peak_memory_mb=peak)


def _say_end(unit: UnitLog, status: UnitStatus, **facts: float) -> None:
    """Logs the end of an attempt as one event, with the traceback of one that failed."""
    failed = status == "failed"
    traceback = {"exception": unit.failures[-1].traceback} if failed else {}
    retries = len(unit.failures) - failed
    event(f"unit {status}", logging.ERROR if failed else logging.INFO, retries=retries, **facts, **traceback)


def file_name(name: str) -> str:
    """Returns the name of a unit's file: its own name, with a digest where that had to be changed much."""
    plain = re.sub(r"[^A-Za-z0-9._=@-]+", "-", name).strip("-.")
    if 0 < len(plain) <= NAME_CHARACTERS and plain != JOB_FILE:
        return plain
    return f"{plain[:NAME_CHARACTERS]}-{sha256(name.encode()).hexdigest()[:8]}"


def _forget_peak() -> None:
    """Has Linux count the peak of this process's memory from here on."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    with suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text()
        return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
