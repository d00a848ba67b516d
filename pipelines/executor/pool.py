"""The loop that keeps a crew of workers busy: one unit each, the dead and the stalled replaced.

What a worker is (a process, a Ray actor) is a `Crew`'s business; the loop sees slots and events only.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.errors import InfraError
from pipelines.executor.queue import Board, reason

POLL_SECONDS = 1.0
"""How long a crew waits for an event before the loop looks for stalled workers."""
STARTS = 5
"""Workers that may die in a row before they stand; one or two may have been on a node that was lost."""


class StalledError(InfraError):
    """A worker showed no sign of progress for too long."""


@dataclass(frozen=True)
class Event:
    """Something that happened to the worker of a slot."""

    slot: int
    kind: Literal["ready", "done", "failed", "died", "beat"]
    value: Any = None
    """the result of `done`, the error of `failed` and `died`"""


class Crew(ABC):
    """Workers by slot; each stands after `start` once it says `ready`, and has one unit at most."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    @abstractmethod
    def start(self, slot: int) -> None:
        """Starts the slot's worker, without waiting for it."""

    @abstractmethod
    def give(self, slot: int, unit: Any) -> None:
        """Hands a unit to a worker that stands."""

    @abstractmethod
    def wait(self, seconds: float) -> list[Event]:
        """Returns what has happened, after `seconds` at the latest."""

    @abstractmethod
    def kill(self, slot: int) -> None:
        """Ends the slot's worker at once; nothing more is heard of it."""

    @abstractmethod
    def close(self) -> None:
        """Ends all workers at once."""


@dataclass
class _Watch:
    """Who has which unit, and when it was last heard of."""

    unit_of: dict[int, int] = field(default_factory=dict)
    heard: dict[int, float] = field(default_factory=dict)

    def give(self, slot: int, number: int) -> None:
        self.unit_of[slot] = number
        self.heard[slot] = time.monotonic()

    def silent(self, seconds: float | None) -> list[int]:
        now = time.monotonic()
        return [slot for slot in self.unit_of if seconds is not None and now - self.heard[slot] > seconds]


def run_crew(crew: Crew, board: Board[Any, Any], workers: int, stall_seconds: float | None) -> None:
    """Runs all units of the board; its crew is ended afterwards, also by an exception or Ctrl-C.

    Raises:
        InputError: a unit said that the input is wrong.
        InfraError: workers die before they stand, again and again.
    """
    watch, idle, failed_starts = _Watch(), set[int](), 0

    def replace(slot: int, error: BaseException) -> None:
        idle.discard(slot)
        if (number := watch.unit_of.pop(slot, None)) is not None:
            board.failed(number, error)
        crew.start(slot)

    try:
        for slot in range(workers):
            crew.start(slot)
        # A worker gets its first unit when it stands: one that the cluster has no room for holds up nothing.
        while watch.unit_of or board.has_waiting():
            for event in crew.wait(POLL_SECONDS if stall_seconds is None else min(POLL_SECONDS, stall_seconds / 4)):
                watch.heard[event.slot] = time.monotonic()
                if event.kind == "died":
                    failed_starts += event.slot not in watch.unit_of
                    if failed_starts > STARTS:
                        raise InfraError(f"a worker cannot start: {reason(event.value)}") from event.value
                    replace(event.slot, event.value)
                elif event.kind == "ready":
                    failed_starts = 0
                    idle.add(event.slot)
                elif event.kind == "done":
                    idle.add(event.slot)
                    board.done(watch.unit_of.pop(event.slot), event.value)
                elif event.kind == "failed":
                    idle.add(event.slot)
                    board.failed(watch.unit_of.pop(event.slot), event.value)
            for slot in watch.silent(stall_seconds):
                crew.kill(slot)
                replace(slot, StalledError(f"no sign of progress for {stall_seconds:g} s; its worker was replaced"))
            while idle and (number := board.take()) is not None:
                slot = idle.pop()
                watch.give(slot, number)
                crew.give(slot, board.units[number])
    finally:
        crew.close()
