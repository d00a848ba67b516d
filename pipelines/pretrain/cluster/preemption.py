"""Signals that a machine is about to be taken away, and how all workers come to act on one at the same step.

A signal may reach any process: SIGTERM, a file that somebody writes, Ray's word that the node is being drained.
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

from infra.errors import Interrupted
from infra.processes.background import BackgroundThread
from jepa.core.collectives import world_size

LOOK_SECONDS = 1.0
"""Time between two looks at the sources of a signal."""

Source = Callable[[], bool]
"""Returns whether a signal has come."""


class Preempted(Interrupted):
    """Training stopped for a preemption signal: its state at `step` is in the store, if `saved`.

    Where no worker had begun to train, the step is None.
    """

    def __init__(self, step: int | None, saved: bool = True) -> None:
        super().__init__(128 + signal.SIGTERM)
        self.step, self.saved = step, saved

    def __str__(self) -> str:
        if self.step is None:
            return "interrupted before training began; the same command goes on"
        kept = "is kept" if self.saved else "could not be kept"
        return f"interrupted at step {self.step}, whose state {kept}; the same command goes on"

    def __reduce__(self) -> tuple[type["Preempted"], tuple[int | None, bool]]:
        return Preempted, (self.step, self.saved)


class PreemptionSignal:
    """Whether this process is to free its machine; a thread looks at the sources, so that asking costs nothing."""

    def __init__(self, sources: Sequence[Source] = ()) -> None:
        self._sources = tuple(sources)
        # A plain flag: the handler of a POSIX signal may come while this thread holds any lock.
        self._received = False
        self._over = threading.Event()
        self._thread = BackgroundThread(self._look, "preemption-signal")

    @property
    def received(self) -> bool:
        """Whether a signal has come; raises the error by which the thread that looks has ended, if it has."""
        self._thread.check()
        return self._received

    def send(self) -> None:
        """Makes it so, from any thread or from the handler of a POSIX signal."""
        self._received = True

    def __enter__(self) -> "PreemptionSignal":
        if self._sources:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.leave(LOOK_SECONDS)

    def _look(self) -> None:
        while not self._received and not self._over.wait(LOOK_SECONDS):
            if any(source() for source in self._sources):
                self.send()


def file_is_written(path: str) -> Source:
    """Returns a source that fires when a file appears or is written again, but not for one that was there before.

    The file of a machine that was taken away must not stop the run that goes on beside it.
    """
    before = _modified(path)
    return lambda: _modified(path) not in (None, before)


@contextmanager
def preemption_signal(sources: Sequence[Source], *, sigterm: bool) -> Iterator[PreemptionSignal]:
    """Listens to the sources and, if asked to, to SIGTERM: a second one does what it would have done without us.

    Only the main thread can listen to SIGTERM; in another one it is left as it is.
    """
    with PreemptionSignal(sources) as received:
        if not sigterm or threading.current_thread() is not threading.main_thread():
            yield received
            return

        def handle(number: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGTERM, before)
            received.send()

        before: Any = signal.signal(signal.SIGTERM, handle) or signal.SIG_DFL
        try:
            yield received
        finally:
            signal.signal(signal.SIGTERM, before)


class Agreement:
    """Says to all workers at the same step that one of them has received a preemption signal.

    Every so many steps they add up who has, without waiting: a sum is read when the next one is begun. So a signal is
    acted on within twice that many steps, and no device stops for it.
    """

    def __init__(self, received: PreemptionSignal, every: int, device: torch.device) -> None:
        """Takes the steps between two sums; 0 ignores every signal."""
        self._signal, self._every, self._device = received, every, device
        self._sum: _Sum | None = None

    def reached(self, step: int) -> bool:
        """Returns whether all are to stop after this step; every worker asks after every step."""
        if not self._every:
            return False
        if world_size() == 1:
            return self._signal.received
        if step % self._every:
            return False
        reached = self._sum is not None and self._sum.value() > 0
        self._sum = _Sum(int(self._signal.received), self._device)
        return reached


class _Sum:
    """A sum of one number over all workers that nobody waits for before it is needed."""

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
