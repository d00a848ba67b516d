"""A failed unit of work on its way to the driver: whatever the exception is, its type, message and traceback arrive.

Many exceptions cannot be pickled, or cannot be made again from their pickle, or are of any size. A `Failure` holds
text, and the exception itself only where that has been seen to survive.
"""

import contextlib
import os
import pickle
import socket
import traceback
from datetime import datetime
from typing import Any, Literal

from infra.errors import InfraError
from infra.work_log import FailedAttempt, utc_now
from jepa.core.errors import InputError

MESSAGE_CHARACTERS = 10_000
TRACEBACK_CHARACTERS = 100_000
PICKLED_BYTES = 100_000
"""More than that of an exception is not carried: its text is enough."""
NAMED = 5
"""Failures that a sentence names; `UnitsError.failures` has all."""
LOG_NOTE = "log: "
"""How a note begins that says where the log of what failed is; the command line prints it with the sentence."""


class WorkerError(RuntimeError):
    """An exception of a worker that cannot be made again in this process; the message begins with its type."""


class WorkerTraceback(Exception):
    """The traceback of a worker, as the cause of the exception that was raised there."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


class Failure:
    """One failed attempt at a unit; it can always be pickled and read again."""

    def __init__(self, error: BaseException, attempt: FailedAttempt) -> None:
        """Takes an exception of this process; `of` describes the attempt, too."""
        self.attempt = attempt
        self.type_name = type(error).__name__
        self.message = message_of(error)
        self.family: Literal["input", "infra", "other"] = "other"
        if isinstance(error, InputError):
            self.family = "input"
        elif isinstance(error, InfraError):
            self.family = "infra"
        self._raised: BaseException | None = error
        self._pickled: bytes | None = None

    @classmethod
    def of(
        cls, error: BaseException, started: datetime | None = None, host: str | None = None, pid: int | None = None
    ) -> "Failure":
        """Returns the failure of an attempt, by default of this process.

        Args:
            error: what was raised, or what is known of a worker that died.
            started: when the attempt began.
            host: machine of the worker.
            pid: process of the worker.
        """
        now = utc_now()
        started = started or now
        attempt = FailedAttempt(
            host=socket.gethostname() if host is None else host,
            pid=os.getpid() if pid is None else pid,
            started=started,
            seconds=round((now - started).total_seconds(), 3),
            error=f"{type(error).__name__}: {message_of(error)}",
            traceback=_traceback_of(error) if error.__traceback__ is not None else "",
        )
        return cls(error, attempt)

    @property
    def error(self) -> BaseException:
        """The exception: the one that was raised, or one of the nearest type that this process can make."""
        if self._raised is None:
            self._raised = _unpickled(self._pickled) or self._substitute()
            if self._raised.__cause__ is None and self.attempt.traceback:
                self._raised.__cause__ = WorkerTraceback(self.attempt.traceback)
        return self._raised

    @property
    def reason(self) -> str:
        """The failure in one line; what is no InfraError is named by its type."""
        first = next((line.strip() for line in self.message.splitlines() if line.strip()), "")
        return first if self.family == "infra" and first else f"{self.type_name}: {first}"

    def __getstate__(self) -> dict[str, Any]:
        pickled = self._pickled if self._raised is None else _surviving(self._raised)
        return self.__dict__ | {"_raised": None, "_pickled": pickled}

    def __repr__(self) -> str:
        return f"Failure({self.reason!r})"

    def _substitute(self) -> BaseException:
        if self.family == "input":
            return InputError(self.message)
        if self.family == "infra":
            return InfraError(self.message)
        return WorkerError(f"{self.type_name}: {self.message}")


class UnitsError(InfraError):
    """Some units failed again and again while all others were completed."""

    def __init__(self, failures: dict[str, Failure], total: int, logs: dict[str, str] | None = None) -> None:
        """Takes the last failure of each unit by the unit's name, and the addresses of their logs."""
        self.failures, self.total, self.logs = failures, total, logs or {}
        named = "; ".join(f"{name}: {failure.reason}{self._log(name)}" for name, failure in self._first())
        named += f"; and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
        super().__init__(
            f"{len(failures)} of {total} units failed and the rest is done; run again to retry them ({named})"
        )

    def __reduce__(self) -> tuple[type["UnitsError"], tuple[Any, ...]]:
        return UnitsError, (self.failures, self.total, self.logs)

    def _first(self) -> list[tuple[str, Failure]]:
        return list(self.failures.items())[:NAMED]

    def _log(self, name: str) -> str:
        return f", see {self.logs[name]}" if name in self.logs else ""


def message_of(error: BaseException) -> str:
    """Returns an exception's text, shortened where it is very long, and what is wrong where it has none."""
    try:
        return _shortened(str(error), MESSAGE_CHARACTERS)
    except Exception as fault:
        return f"<its message cannot be shown: {type(fault).__name__}>"


def _traceback_of(error: BaseException) -> str:
    try:
        return _shortened("".join(traceback.format_exception(error)), TRACEBACK_CHARACTERS)
    except Exception as fault:
        frames = "".join(traceback.format_tb(error.__traceback__))
        return f"{frames}{type(error).__name__} <its message cannot be shown: {type(fault).__name__}>"


def _surviving(error: BaseException) -> bytes | None:
    """Returns the pickle of an exception if the same exception can be made of it, else None."""
    with contextlib.suppress(Exception):
        data = pickle.dumps(error)
        again = pickle.loads(data) if len(data) <= PICKLED_BYTES else None
        if type(again) is type(error) and str(again) == str(error):
            return data
    return None


def _unpickled(data: bytes | None) -> BaseException | None:
    """Returns the exception, or None where this process cannot make it, e.g. for want of its module."""
    if data is not None:
        with contextlib.suppress(Exception):
            error = pickle.loads(data)
            return error if isinstance(error, BaseException) else None
    return None


def _shortened(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    half = length // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
