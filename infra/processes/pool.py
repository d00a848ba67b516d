"""Threads that work off calls, and that neither an interruption nor the end of the interpreter waits for.

`concurrent.futures` joins its threads when an error or Ctrl-C leaves its block, and again at the very end of the
process: a server that does not answer would hold it for as long as it takes to give that server up.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from infra.processes.background import BackgroundThread, leave_all

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")

INTERRUPTED_SECONDS = 1.0
"""How long calls that are under way have to end by themselves when nobody waits for what they return."""


class ThreadPool:
    """A context manager: at its end all calls are waited for; after an error in its block none is."""

    def __init__(self, threads: int, name: str) -> None:
        """Takes the greatest number of threads, which start as calls come, and their name."""
        self._most, self._name = threads, name
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._waiting: set[Future[Any]] = set()
        self._threads: list[BackgroundThread] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Returns the future of a call.

        Raises:
            RuntimeError: the pool is closed.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._waiting.add(future)
            self._calls.put((future, lambda: work(*args, **kwargs)))
            if len(self._threads) < min(self._most, len(self._waiting)):
                self._threads.append(BackgroundThread(self._run, f"{self._name}-{len(self._threads)}"))
                self._threads[-1].start()
        return future

    def map(self, work: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
        """Begins a call for each item and yields what they return, in the items' order."""
        futures = [self.submit(work, item) for item in items]
        return (future.result() for future in futures)

    def close(self, *, cancel: bool = False, seconds: float | None = None) -> None:
        """Takes no more calls and waits for the others.

        Args:
            cancel: those that have not begun.
            seconds: how long to wait for the threads; None waits until they end.
        """
        with self._lock:
            self._closed = True
            for future in list(self._waiting) if cancel else ():
                future.cancel()
        for _ in self._threads:
            self._calls.put(None)
        leave_all(self._threads, seconds)

    def __enter__(self) -> "ThreadPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(cancel=kind is not None, seconds=None if kind is None else INTERRUPTED_SECONDS)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            future, work = call
            try:
                if future.set_running_or_notify_cancel():
                    future.set_result(work())
            except BaseException as error:  # of whatever kind, it belongs to whoever asks for the result
                future.set_exception(error)
            finally:
                with self._lock:
                    self._waiting.discard(future)
            del call, future, work
