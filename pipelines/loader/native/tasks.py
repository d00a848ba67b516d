"""Turns the order of an epoch into work: which chunk is cut for which rows of which batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.loader.native.schedule import EpochOrder

RAMP = 3
"""Batches that a task of the very first one may fill rows of."""
Position = tuple[int, int]
"""Epoch, and batch within it."""


@dataclass(frozen=True)
class Task:
    """Clips to be cut from one chunk for one slot of this worker, and the running numbers of their batches."""

    chunk: int
    windows: tuple[int, ...]
    batches: tuple[int, ...]
    slot: int

    @property
    def last(self) -> int:
        """Returns the number of the last batch that the task fills a row of."""
        return max(self.batches)


@dataclass(frozen=True)
class Step:
    """What begins with a batch: its tasks, which also fill rows of later ones, and the position after it."""

    after: Position
    tasks: list[Task]


def plan(order_of: Callable[[int], EpochOrder], slots: range, span: int, epoch: int, batch: int) -> Iterator[Step]:
    """Yields a step for each batch, for ever.

    Args:
        order_of: the order of an epoch.
        slots: places of the global batch that this worker serves.
        span: batches that a task may fill rows of; with fewer than a slot reads in a segment, its chunks come again.
        epoch, batch: where to begin.
    """
    number = 0
    while True:
        order = order_of(epoch)
        segments = np.full(len(slots), -1, np.int64)
        until = np.zeros(len(slots), np.int64)
        for batch_number in range(batch, order.batches):
            places = order.locate(batch_number)
            mine = places.segment[slots.start : slots.stop] + places.round * (1 << 40)
            tasks: list[Task] = []
            for slot in np.flatnonzero((mine != segments) | (number >= until)).tolist():
                segment, first = int(places.segment[slots[slot]]), int(places.place[slots[slot]])
                # The first batch shall not wait for many others, nor for their memory: slots reach further by and by.
                reach = min(span, places.batches_left, RAMP + number)
                entered = _enter(order, places.round, segment, first, reach, number, slot)
                tasks += entered
                segments[slot], until[slot] = mine[slot], 1 + max(task.last for task in entered)
            last = batch_number + 1 == order.batches
            yield Step((epoch + 1, 0) if last else (epoch, batch_number + 1), tasks)
            number += 1
        epoch, batch = epoch + 1, 0


def _enter(
    order: EpochOrder, round_number: int, segment: int, first: int, reach: int, number: int, slot: int
) -> list[Task]:
    """Returns the tasks of a slot that reads on from a place of a segment, a chunk each."""
    chunks, windows = order.segment_clips(round_number, segment)
    by_chunk: dict[int, tuple[list[int], list[int]]] = {}
    clips = zip(chunks[first : first + reach].tolist(), windows[first : first + reach].tolist(), strict=True)
    for ahead, (chunk, window) in enumerate(clips):
        taken = by_chunk.setdefault(chunk, ([], []))
        taken[0].append(window)
        taken[1].append(number + ahead)
    return [Task(chunk, tuple(taken), tuple(batches), slot) for chunk, (taken, batches) in by_chunk.items()]
