"""The loop that keeps a pool of workers busy: one unit each, the dead and the stalled replaced.

What a worker is (a process, a Ray actor) is a `WorkerPool`'s business; the loop sees slots and events only.
"""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from infra.errors import InfraError
from infra.work_log import utc_now
from pipelines.executor.failure import Failure
from pipelines.executor.perform import Done, Place, Task, read_answer
from pipelines.executor.queue import WorkQueue

POLL_SECONDS = 1.0
"""How long a pool waits for an event before the loop looks for stalled workers."""
STARTS = 5
"""Workers that may die in a row before one is ready; one or two may have been on a node that was lost."""


class StalledError(InfraError):
    """A worker showed no sign of progress for too long."""


@dataclass(frozen=True)
class Event:
    """Something that happened to the worker of a slot."""

    slot: int
    kind: Literal["ready", "broken", "done", "failed", "unreadable", "died", "beat"]
    value: Any = None
    """the `Place` of a worker that is ready, the result of `done`, the `Failure` of `failed`, and of `broken`, a worker
    that cannot do any unit; the exception of `died` and `unreadable`"""
    messages: tuple[str, ...] = ()
    """what the worker said while it did a unit that is `done`"""

    @classmethod
    def of_answer(cls, slot: int, data: bytes) -> "Event":
        """Returns what a worker's answer means."""
        try:
            answer = read_answer(data)
        except TypeError as error:
            return cls(slot, "unreadable", error)
        if isinstance(answer, Done):
            return cls(slot, "done", answer.result, answer.messages)
        return cls(slot, "failed", answer)


class WorkerPool(ABC):
    """Workers by slot; after `start` each says `ready` once, and then has one unit at most."""

    @abstractmethod
    def start(self, slot: int) -> None:
        """Starts the slot's worker, without waiting for it."""

    @abstractmethod
    def submit(self, slot: int, task: Task) -> None:
        """Hands a unit to a worker that is ready; raises what keeps the unit from being sent."""

    @abstractmethod
    def wait(self, seconds: float) -> list[Event]:
        """Returns what has happened, after `seconds` at the latest."""

    @abstractmethod
    def kill(self, slot: int) -> None:
        """Ends the slot's worker at once; no event of it comes after that."""

    @abstractmethod
    def close(self) -> None:
        """Ends all workers at once."""


@dataclass
class _Watch:
    """Which worker has which unit since when, and when it was last heard from."""

    unit_of: dict[int, int] = field(default_factory=dict)
    place: dict[int, Place] = field(default_factory=dict)
    begun: dict[int, datetime] = field(default_factory=dict)
    heard: dict[int, float] = field(default_factory=dict)

    def submit(self, slot: int, number: int) -> None:
        self.unit_of[slot] = number
        self.begun[slot] = utc_now()
        self.heard[slot] = time.monotonic()

    def silent(self, seconds: float | None) -> list[int]:
        now = time.monotonic()
        return [slot for slot in self.unit_of if seconds is not None and now - self.heard[slot] > seconds]

    def failure(self, slot: int, error: BaseException) -> Failure:
        """Returns the failure of a unit that its worker knows nothing of."""
        place = self.place.get(slot, Place("", 0))
        return Failure.of(error, self.begun.get(slot), place.host, place.pid)


class _Loop:
    """Hands units to workers and takes their answers until none is left."""

    def __init__(self, pool: WorkerPool, queue: WorkQueue[Any, Any], stall_seconds: float | None) -> None:
        self.pool, self.queue, self.stall_seconds = pool, queue, stall_seconds
        self.poll_seconds = POLL_SECONDS if stall_seconds is None else min(POLL_SECONDS, stall_seconds / 4)
        self.watch, self.idle, self.failed_starts = _Watch(), set[int](), 0

    def run(self, workers: int) -> None:
        for slot in range(workers):
            self.pool.start(slot)
        # A worker gets its first unit when it is ready: one that the cluster has no room for holds up nothing.
        while self.watch.unit_of or self.queue.has_waiting():
            for event in self.pool.wait(self.poll_seconds):
                self._handle(event)
            for slot in self.watch.silent(self.stall_seconds):
                self.pool.kill(slot)
                sentence = f"no sign of progress for {self.stall_seconds:g} s; its worker was replaced"
                self._replace(slot, StalledError(sentence))
            while self.idle and (number := self.queue.take()) is not None:
                self._submit(self.idle.pop(), number)

    def _submit(self, slot: int, number: int) -> None:
        task = self.queue.task(number)
        self.watch.submit(slot, number)
        try:
            self.pool.submit(slot, task)
        except Exception as error:
            self.watch.unit_of.pop(slot)
            self.idle.add(slot)
            self.queue.lost(number, Failure.of(error))

    def _handle(self, event: Event) -> None:
        slot = event.slot
        self.queue.heard()
        self.watch.heard[slot] = time.monotonic()
        if event.kind == "ready":
            self.watch.place[slot] = event.value
            self.failed_starts = 0
            self.idle.add(slot)
        elif event.kind == "done":
            self.idle.add(slot)
            self.queue.done(self.watch.unit_of.pop(slot), event.value, event.messages)
        elif event.kind == "failed":
            self.idle.add(slot)
            self.queue.failed(self.watch.unit_of.pop(slot), event.value)
        elif event.kind == "unreadable":
            self.idle.add(slot)
            self.queue.lost(self.watch.unit_of.pop(slot), self.watch.failure(slot, event.value))
        elif event.kind == "broken":
            failure: Failure = event.value
            if failure.family == "input":
                raise failure.error
            raise InfraError(f"a worker cannot start: {failure.reason}") from failure.error
        elif event.kind == "died":
            self._count_start(slot, event.value)
            self._replace(slot, event.value)

    def _count_start(self, slot: int, error: BaseException) -> None:
        self.failed_starts += slot not in self.watch.unit_of
        if self.failed_starts > STARTS:
            raise InfraError(f"a worker cannot start: {Failure.of(error).reason}") from error

    def _replace(self, slot: int, error: BaseException) -> None:
        self.idle.discard(slot)
        if slot in self.watch.unit_of:
            self.queue.lost(self.watch.unit_of.pop(slot), self.watch.failure(slot, error))
        self.pool.start(slot)


def run_pool(pool: WorkerPool, queue: WorkQueue[Any, Any], workers: int, stall_seconds: float | None) -> None:
    """Runs all units of the queue; the workers are ended afterwards, also by an exception or Ctrl-C.

    Raises:
        InputError: a unit said that the input is wrong.
        InfraError: workers cannot start, or die before they are ready, again and again.
    """
    try:
        _Loop(pool, queue, stall_seconds).run(workers)
    finally:
        pool.close()
