"""How long a store waits for its server: a word to whoever waits, and an end when nothing comes any more.

Time-outs of sockets do not bound an operation: they begin again with each byte, each address and each repetition.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import ContextVar
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypeVar

from infra.errors import InfraError
from infra.processes.background import BackgroundThread

T = TypeVar("T")

SLOWEST = 64 * 1024
"""Bytes a second at which an object must come or go on average: with these an operation has more time."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long a store waits for its server, in seconds."""

    connect: float = 10
    """until a connection stands"""
    read: float = 20
    """for the next byte of an answer; then the request counts as lost and is sent again"""
    attempts: int = 6
    """how often a request is sent to a server that does not answer, or answers that it is overloaded"""
    operation: float = 120
    """for one operation with all its repetitions, the time for its bytes at `SLOWEST` aside"""
    word: float = 10
    """after which whoever waits is informed of it, once for each wait"""
    together: float | None = None
    """for all operations of one store; None bounds each for itself"""

    def of_a_check(self) -> "Patience":
        """Returns less patience, for the question whether a store can be used at all."""
        seconds = min(30, self.operation)
        connect, read, attempts = min(3, self.connect), min(6, self.read), min(4, self.attempts)
        return replace(
            self, connect=connect, read=read, attempts=attempts, operation=seconds, together=self.together or seconds
        )


PATIENT = Patience()
"""That of every store which is not given another."""


class OverdueError(InfraError):
    """An operation that its server did not end in time."""


class Operation:
    """One operation of a store: what it is, and until when it may last."""

    def __init__(self, what: str, server: str, origin: str, ends: float) -> None:
        """Takes the words for what is done, with whom and where that stands, and an end on the monotonic clock."""
        self.what, self.server, self._origin = what, server, origin
        self._began, self._ends = time.monotonic(), ends

    def moved(self, count: int) -> None:
        """Gives time for bytes that have come, or are to go."""
        self._ends += count / SLOWEST

    @property
    def left(self) -> float:
        """Seconds until it is given up."""
        return self._ends - time.monotonic()

    def overdue(self) -> OverdueError:
        """Returns the error that says that it is given up."""
        seconds = time.monotonic() - self._began
        return OverdueError(
            f"{self.server} did not finish to {self.what} within {max(seconds, 0):.0f} s; see whether it works and the "
            f"network is fast enough, or correct {self._origin}, or --store, and run the command again"
        )


_CURRENT: ContextVar[Operation | None] = ContextVar("operation", default=None)


def go_on() -> None:
    """Passes while this thread's operation has time: nothing is sent, or received, for one that was given up.

    Raises:
        OverdueError: it has none any more.
    """
    operation = _CURRENT.get()
    if operation is not None and operation.left <= 0:
        raise operation.overdue()


def patiently(work: Callable[[Operation], T], operation: Operation, word: float) -> T:
    """Returns what the work returns, or raises what it raises; a thread of its own does it.

    A thread that is given up ends by itself (`go_on`); waiting for it here, whoever asked can be interrupted at any
    moment, also where the system waits, as for the name of a host.

    Args:
        work: takes the operation.
        operation: that it is.
        word: seconds after which the log says what is waited for.

    Raises:
        OverdueError: it lasts too long.
    """
    future: Future[T] = Future()
    if operation.left <= 0:
        raise operation.overdue()
    lasting = operation.left > word

    def run() -> None:
        _CURRENT.set(operation)
        try:
            future.set_result(work(operation))
        except BaseException as error:  # of whatever kind, it is the caller's
            future.set_exception(error)

    BackgroundThread(run, "store-operation").start()
    try:
        if not wait([future], min(word, operation.left)).done and lasting:
            _WAITS.say(operation, word)
        while not future.done() and operation.left > 0:
            wait([future], operation.left)
    finally:
        _WAITS.over(operation)
    if not future.done():
        raise operation.overdue()
    return future.result()


class _Waits:
    """The operations of this process that take long: the first of those with one server is logged, not each."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._late: set[Operation] = set()

    def say(self, operation: Operation, seconds: float) -> None:
        """Logs that an operation takes long, unless another one with its server does."""
        with self._lock:
            first = operation.server not in {late.server for late in self._late}
            self._late.add(operation)
        if first:
            log.warning(
                "waiting for %s to %s (%.0f s so far, at most %.0f s more)",
                operation.server,
                operation.what,
                seconds,
                max(0, operation.left),
            )

    def over(self, operation: Operation) -> None:
        """Forgets an operation that has ended."""
        with self._lock:
            self._late.discard(operation)


_WAITS = _Waits()
