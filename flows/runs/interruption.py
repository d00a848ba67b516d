"""Training that a flow can be asked to stop: the work runs in a thread, and the main thread waits for signals.

Prefect's handler of SIGTERM raises in the main thread, wherever that is, and has to stay in its place: its runner asks
it whether a cancellation or an eviction was understood. So no training must be there.
"""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from infra.processes.background import BackgroundThread

T = TypeVar("T")

LOOK_SECONDS = 0.2
"""Time between two looks at whether the work is done: no signal is handled meanwhile."""
LEAVING_SECONDS = 3.0
"""What the work gets beyond its own time to stop, to say how it ended."""

log = logging.getLogger(__name__)


def stoppable(work: Callable[[Callable[[], bool]], T], stop_seconds: float) -> T:
    """Returns what the work returns; an interruption asks it to stop and is raised again when it has.

    Args:
        work: gets a function that says whether it is to stop.
        stop_seconds: how long it has for that; a second interruption waits for nothing.
    """
    thread = _Thread(work)
    try:
        thread.start()
        return thread.result()
    except BaseException as interruption:
        if not thread.running:
            raise
        log.info("%s: the work is asked to stop", type(interruption).__name__)
        thread.stop(stop_seconds + LEAVING_SECONDS)
        raise


class _Thread(Generic[T]):
    """Work in a thread of its own, with the context of the one that starts it: Prefect finds its run by that."""

    def __init__(self, work: Callable[[Callable[[], bool]], T]) -> None:
        # Not `join`: an exception that interrupts it makes a thread that runs look as if it had ended.
        self._work, self._stop, self._ended = work, threading.Event(), threading.Event()
        self._value: T | None = None
        self._error: BaseException | None = None
        self._thread = BackgroundThread(self._run, "stoppable-work")

    def start(self) -> None:
        """Begins the work."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the work goes on."""
        return self._thread.ident is not None and not self._ended.is_set()

    def result(self) -> T:
        """Returns the work's value, or raises what it raised, as soon as it has ended."""
        while not self._ended.wait(LOOK_SECONDS):
            pass
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # it has ended without an error

    def stop(self, seconds: float) -> None:
        """Asks the work to stop and waits for it, and says how it ended."""
        self._stop.set()
        if not self._ended.wait(seconds):
            log.warning("the work did not stop within %g s and is left behind", seconds)
        elif self._error is not None:
            log.warning("%s", self._error)

    def _run(self) -> None:
        try:
            self._value = self._work(self._stop.is_set)
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()
