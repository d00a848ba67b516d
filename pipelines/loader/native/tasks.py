"""Turns the schedule into tasks: which chunk is decoded for which rows of which batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.loader.native.schedule import EpochSchedule

FIRST_REACH = 3
"""Batches that a task of the very first one may fill rows of."""
SEGMENTS_OF_A_ROUND = 1 << 40
"""More than a round has segments, so that one integer names a segment of an epoch."""
Position = tuple[int, int]
"""Epoch, and batch within it."""


@dataclass(frozen=True)
class Task:
    """Clips to be copied from one chunk for one slot of this worker, each into a batch of its own."""

    chunk: int
    frames: tuple[int, ...]
    """where in the chunk each clip begins"""
    batches: tuple[int, ...]
    """running number of each clip's batch"""
    slot: int
    """row of those batches"""

    @property
    def last(self) -> int:
        """Returns the number of the last batch that the task fills a row of."""
        return max(self.batches)


@dataclass(frozen=True)
class BatchTasks:
    """The tasks that begin with a batch, which fill rows of later ones too, and the position after that batch."""

    after: Position
    tasks: list[Task]


def schedule_tasks(
    schedule_of: Callable[[int], EpochSchedule], slots: range, reach: int, epoch: int, batch: int
) -> Iterator[BatchTasks]:
    """Yields the tasks of each batch, for ever.

    Args:
        schedule_of: the schedule of an epoch.
        slots: slots of the global batch that this worker fills.
        reach: batches that a task may fill rows of; with fewer than a slot reads in a segment, its chunks come again.
        epoch, batch: where to begin.
    """
    number = 0
    while True:
        schedule = schedule_of(epoch)
        segments = np.full(len(slots), -1, np.int64)
        until = np.zeros(len(slots), np.int64)
        for batch_number in range(batch, schedule.batches):
            places = schedule.locate(batch_number)
            mine = places.segment[slots.start : slots.stop] + places.round * SEGMENTS_OF_A_ROUND
            tasks: list[Task] = []
            for slot in np.flatnonzero((mine != segments) | (number >= until)).tolist():
                segment, entry = int(places.segment[slots[slot]]), int(places.entry[slots[slot]])
                # The first batch must wait neither for many others nor for their memory: slots reach further later.
                ahead = min(reach, places.batches_left, FIRST_REACH + number)
                entered = _read_on(schedule, places.round, segment, entry, ahead, number, slot)
                tasks += entered
                segments[slot], until[slot] = mine[slot], 1 + max(task.last for task in entered)
            last = batch_number + 1 == schedule.batches
            yield BatchTasks((epoch + 1, 0) if last else (epoch, batch_number + 1), tasks)
            number += 1
        epoch, batch = epoch + 1, 0


def _read_on(
    schedule: EpochSchedule, round_number: int, segment: int, entry: int, ahead: int, number: int, slot: int
) -> list[Task]:
    """Returns the tasks of a slot that reads on from an entry of a segment, one for each chunk."""
    chunks, frames = schedule.segment_arrays(round_number, segment)
    by_chunk: dict[int, tuple[list[int], list[int]]] = {}
    clips = zip(chunks[entry : entry + ahead].tolist(), frames[entry : entry + ahead].tolist(), strict=True)
    for batches_on, (chunk, frame) in enumerate(clips):
        taken = by_chunk.setdefault(chunk, ([], []))
        taken[0].append(frame)
        taken[1].append(number + batches_on)
    return [Task(chunk, tuple(taken), tuple(batches), slot) for chunk, (taken, batches) in by_chunk.items()]
