"""Threads of ours: one that an error ends says so to whoever depends on it, and nobody waits for it for ever."""

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Sequence

from infra.errors import InfraError

LEAVING_SECONDS = 5.0
"""How long the end of a job waits for a thread that does not end."""

log = logging.getLogger(__name__)


class BackgroundThread(threading.Thread):
    """A daemon thread, with the context of the one that makes it, whose error is kept for `check`."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        """Takes what it is to do; `name` stands in the message of an error."""
        super().__init__(name=name, daemon=True)
        self._work: Callable[[], None] | None = work
        self._context = contextvars.copy_context()
        self._error: BaseException | None = None
        self._finished = False

    def run(self) -> None:
        """Does the work and keeps the error that ends it."""
        work, self._work = self._work, None
        try:
            assert work is not None
            self._context.run(work)
        except BaseException as error:  # whatever ends it, another thread may wait for what it was to do
            self._error = error
            log.debug("thread %s was ended by %r", self.name, error)
        finally:
            self._finished = True

    def check(self) -> None:
        """Passes while the thread works, and after it has done its work.

        Raises:
            InfraError: the error that ended the thread, in its own words if it is one of these; or the thread was lost
                when this process was forked.
        """
        error = self._error
        if isinstance(error, InfraError):
            raise error
        if error is not None:
            raise InfraError(f"thread {self.name!r} was ended by {error!r}; run the command again") from error
        if self.ident is not None and not self.is_alive() and not self._finished:
            raise InfraError(f"thread {self.name!r} is gone, perhaps because this process was forked; run it again")

    def leave(self, seconds: float = LEAVING_SECONDS) -> bool:
        """Waits for the end of a thread that was asked to end, and returns whether it came in time."""
        if self.ident is not None and self is not threading.current_thread():
            self.join(seconds)
        return not self.is_alive()


def leave_all(threads: Sequence[threading.Thread], seconds: float | None) -> None:
    """Waits for the ends of threads, for all together at most some seconds; None waits until they have ended."""
    until = None if seconds is None else time.monotonic() + seconds
    for thread in threads:
        if thread.ident is not None and thread is not threading.current_thread():
            thread.join(None if until is None else max(0.0, until - time.monotonic()))
