"""Notices that a machine is about to be taken away, and how all workers come to act on one at the same step.

A notice may reach any process: SIGTERM, a file that somebody touches, Ray's word that the node is being drained.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

import torch
import torch.distributed as dist

from jepa.core.collectives import world_size

LOOK_SECONDS = 1.0
"""Time between two looks at the sources of a notice."""

Source = Callable[[], bool]
"""Returns whether a notice has come."""


class Preempted(SystemExit):
    """Training made room for others in an orderly way: its state at `step` is in the store, if `saved`."""

    def __init__(self, step: int, saved: bool = True) -> None:
        super().__init__(128 + signal.SIGTERM)
        self.step, self.saved = step, saved

    def __str__(self) -> str:
        kept = "is kept" if self.saved else "could not be kept"
        return f"interrupted at step {self.step}, whose state {kept}; the same command goes on"


class Notice:
    """Whether this process has been told to make room; a thread looks at the sources, so that asking costs nothing."""

    def __init__(self, sources: Sequence[Source] = ()) -> None:
        self._sources = tuple(sources)
        # A plain flag: a signal's handler may come while this thread holds any lock.
        self._given = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="preemption-notice", daemon=True)

    @property
    def given(self) -> bool:
        """Whether a notice has come."""
        return self._given

    def give(self) -> None:
        """Makes it so, from any thread or from a signal's handler."""
        self._given = True

    def __enter__(self) -> "Notice":
        if self._sources:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(LOOK_SECONDS)

    def _look(self) -> None:
        while not self.given and not self._over.wait(LOOK_SECONDS):
            if any(source() for source in self._sources):
                self.give()


def touched(path: str) -> Source:
    """Returns a source that tells when a file appears or is written again: one that was there before tells nothing.

    The file of a machine that was taken away must not stop the run that goes on beside it.
    """
    before = _modified(path)
    return lambda: _modified(path) not in (None, before)


@contextmanager
def heeding_sigterm(notice: Notice) -> Iterator[None]:
    """Takes a first SIGTERM in the block as the notice; a second does what it would have done without us.

    Only the main thread can do that; in another the block changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, before)
        notice.give()

    before: Any = signal.signal(signal.SIGTERM, handle) or signal.SIG_DFL
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Agreement:
    """Tells all workers at the same step that one of them has had a notice.

    Every so many steps they add up who has, without waiting: a sum is read when the next one is begun. So a notice is
    acted on within twice that many steps, and no device stops for it.
    """

    def __init__(self, notice: Notice, every: int, device: torch.device) -> None:
        """Takes the steps between two sums; 0 heeds no notice at all."""
        self._notice, self._every, self._device = notice, every, device
        self._sum: _Sum | None = None

    def reached(self, step: int) -> bool:
        """Returns whether all are to stop after this step; every worker asks after every step."""
        if not self._every:
            return False
        if world_size() == 1:
            return self._notice.given
        if step % self._every:
            return False
        told = self._sum is not None and self._sum.value() > 0
        self._sum = _Sum(int(self._notice.given), self._device)
        return told


class _Sum:
    """A sum of one number over all workers that nobody waits for before he needs it."""

    def __init__(self, mine: int, device: torch.device) -> None:
        self._total = torch.tensor([mine], dtype=torch.int32, device=device)
        if device.type == "cuda":
            dist.all_reduce(self._total)
            # Fetched by the device when it gets there: reading it now would wait for all that is queued before.
            self._host = torch.zeros(1, dtype=torch.int32).pin_memory()
            self._host.copy_(self._total, non_blocking=True)
            self._fetched = torch.cuda.Event()
            self._fetched.record()
        else:
            self._work = dist.all_reduce(self._total, async_op=True)

    def value(self) -> int:
        if self._total.device.type == "cuda":
            self._fetched.synchronize()
            return int(self._host)
        self._work.wait()
        return int(self._total)


def _modified(path: str) -> float | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None
