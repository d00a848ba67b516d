"""Runs an iterator ahead of its consumer in a background thread."""

import queue
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, TypeVar

from infra.errors import InfraError
from infra.processes.background import BackgroundThread
from pipelines.loader.config import THREAD

T = TypeVar("T")
POLL_SECONDS = 0.1
Entries = queue.Queue[tuple[T | None, BaseException | None]]
"""An item, or the error in its place."""


class Prefetcher(Generic[T]):
    """Keeps a few items ready; an error is raised where the item would have come."""

    def __init__(self, make: Callable[[], Iterator[T]], depth: int) -> None:
        """Starts the thread, which calls `make`.

        Args:
            make: returns the iterator; if it held the prefetcher's owner, neither would ever be freed.
            depth: items that are ready at most.
        """
        self._entries: Entries[T] = queue.Queue(depth)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = BackgroundThread(partial(_fill, make, self._entries, self._stop), f"{THREAD}-prefetch")
        self._thread.start()

    def next(self) -> T:
        """Returns the next item.

        Raises:
            StopIteration: there is none.
            InfraError: the thread is gone, or the iterator raised it; asked again, it says the same.
        """
        if self._error is None:
            item, self._error = self._wait()
        if self._error is not None:
            raise self._error
        assert item is not None
        return item

    def close(self) -> None:
        """Ends the thread and waits some seconds for it; its items are dropped."""
        self._stop.set()
        self._thread.leave()

    def _wait(self) -> tuple[T | None, BaseException | None]:
        while True:
            alive = self._thread.is_alive()  # asked before: what the thread put last is still taken
            try:
                return self._entries.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if not alive:
                    gone = "the loader's thread is gone or was closed while a batch was awaited; open the loader again"
                    return None, InfraError(gone)


def _fill(make: Callable[[], Iterator[T]], entries: Entries[T], stop: threading.Event) -> None:
    try:
        for item in make():
            if not _put(entries, (item, None), stop):
                return
        _put(entries, (None, StopIteration()), stop)
    except Exception as error:
        _put(entries, (None, error), stop)
    except BaseException as error:  # an exit asked for in this thread must not pass for the consumer's own
        ended = InfraError(f"the loader's thread was ended by {error!r}; open the loader again")
        ended.__cause__ = error
        _put(entries, (None, ended), stop)


def _put(entries: Entries[T], entry: tuple[T | None, BaseException | None], stop: threading.Event) -> bool:
    """Returns whether there was room for the entry before the stop."""
    while not stop.is_set():
        try:
            entries.put(entry, timeout=POLL_SECONDS)
            return True
        except queue.Full:
            continue
    return False
