"""Prepares what comes next in a background thread."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.1


class Prefetcher(Generic[T]):
    """Runs an iterator ahead of its consumer by a few items; errors appear where the item would have."""

    def __init__(self, make: Callable[[], Iterator[T]], depth: int) -> None:
        """Starts the thread, which calls `make`; if that held the prefetcher's owner, neither would ever be freed."""
        self._items: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=_fill, args=(make, self._items, self._stop), daemon=True, name="prefetch"
        )
        self._thread.start()

    def next(self) -> T:
        """Returns the next item.

        Raises:
            StopIteration: there is none.
        """
        item, error = self._items.get()
        if error is not None:
            # Asked again, it says the same: the thread is gone.
            self._items.put((None, error))
            raise error
        assert item is not None
        return item

    def close(self) -> None:
        """Ends the thread and waits for it; its items are dropped."""
        self._stop.set()
        self._thread.join()


def _fill(
    make: Callable[[], Iterator[T]], items: "queue.Queue[tuple[T | None, BaseException | None]]", stop: threading.Event
) -> None:
    try:
        for item in make():
            if not _put(items, (item, None), stop):
                return
        _put(items, (None, StopIteration()), stop)
    except BaseException as error:
        _put(items, (None, error), stop)


def _put(
    items: "queue.Queue[tuple[T | None, BaseException | None]]",
    entry: tuple[T | None, BaseException | None],
    stop: threading.Event,
) -> bool:
    """Returns whether the entry found room before the stop."""
    while not stop.is_set():
        try:
            items.put(entry, timeout=POLL_SECONDS)
            return True
        except queue.Full:
            continue
    return False
