"""Commits in the background, because a store may be slow and must not hold the workers up.

At most one commit is under way. One more may wait, and a newer one takes its place: training never waits for the store,
and what comes to the store next is always the newest state there is.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from infra.processes.background import BackgroundThread

RETRY_SECONDS = (1.0, 5.0, 20.0)
"""Pauses before a failed commit is tried again; a store's own client has repeated each request already."""
LEAVING_SECONDS = 30.0
"""How long a training that failed waits for the commit under way."""

LOOK_SECONDS = 1.0
"""How often one who waits for a commit looks whether the thread is still there."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Commit:
    """Something to be put into the store, as a whole and as often as it takes."""

    address: str
    """where, for people"""
    write: Callable[[], None]


class BackgroundWriter:
    """A thread that commits one thing at a time; a commit that fails for good is reported and costs nothing else."""

    def __init__(self, warn: Callable[[str], None] = log.warning) -> None:
        """Starts the thread; `warn` is called in it, with a sentence for each commit that failed for good."""
        self.failures = 0
        self._warn = warn
        self._changed = threading.Condition()
        self._waiting: Commit | None = None
        self._under_way = False
        self._closed = False
        self._thread = BackgroundThread(self._run, "checkpoint-writer")
        self._thread.start()

    def put(self, commit: Commit) -> None:
        """Has something committed as soon as the one under way is done, instead of any other that waits.

        Raises:
            InfraError: the thread has ended, so that nothing would be committed any more.
        """
        self.check()
        with self._changed:
            self._waiting = commit
            self._changed.notify_all()

    def check(self) -> None:
        """Passes while the thread is there; raises as `put` does."""
        self._thread.check()

    def wait(self, seconds: float | None = None) -> bool:
        """Returns whether all was committed, or given up, within the time; None waits for as long as it takes.

        Raises:
            InfraError: the thread has ended before it was done.
        """
        end = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while self._waiting is not None or self._under_way:
                self.check()
                left = LOOK_SECONDS if end is None else min(LOOK_SECONDS, end - time.monotonic())
                if left <= 0:
                    return False
                self._changed.wait(left)
        self.check()
        return True

    def close(self, seconds: float | None = None) -> None:
        """Waits as `wait` does, then ends the thread."""
        try:
            self.wait(seconds)
        finally:
            with self._changed:
                self._closed = True
                self._waiting = None
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting is not None)
                if self._waiting is None:
                    return
                commit, self._waiting, self._under_way = self._waiting, None, True
            try:
                self._commit(commit)
            finally:
                with self._changed:
                    self._under_way = False
                    self._changed.notify_all()

    def _commit(self, commit: Commit) -> None:
        for pause in (*RETRY_SECONDS, None):
            try:
                return commit.write()
            except Exception as error:  # whatever it is, it must not end a training that is well
                if pause is None or getattr(error, "final", False) or self._superseded_after(pause):
                    self.failures += 1
                    self._warn(f"{commit.address} was not written ({_reason(error)}); training goes on")
                    return

    def _superseded_after(self, seconds: float) -> bool:
        """Returns whether a newer commit came within the time, or nobody waits for this one any more."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or self._waiting is not None, seconds)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
