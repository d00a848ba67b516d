"""Tasks fill every row of every batch once, with the clip that is scheduled there, and reach as far as they may."""

from functools import partial
from itertools import islice

import numpy as np
import pytest

from pipelines.loader.native.schedule import EpochSchedule
from pipelines.loader.native.tasks import FIRST_REACH, BatchTasks, Position, schedule_tasks

WINDOWS, SLOTS, SEGMENT = np.full(30, 20), 6, 16


def schedule(epoch: int) -> EpochSchedule:
    return EpochSchedule(WINDOWS, seed=0, epoch=epoch, batch_size=SLOTS, windows_per_chunk=8, shuffle_chunks=2)


def steps(count: int, *, slots: range = range(SLOTS), reach: int = SEGMENT, at: Position = (0, 0)) -> list[BatchTasks]:
    return list(islice(schedule_tasks(schedule, slots, reach, *at), count))


def filled(scheduled: list[BatchTasks], slots: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Returns (chunk, frame) by (batch, row), and fails where two tasks fill a row."""
    rows: dict[tuple[int, int], tuple[int, int]] = {}
    for one in scheduled:
        for task in one.tasks:
            for batch, frame in zip(task.batches, task.frames, strict=True):
                assert (batch, task.slot) not in rows and task.slot < slots
                rows[batch, task.slot] = task.chunk, frame
    return rows


def positions(at: Position, count: int) -> list[Position]:
    """Returns so many positions from one on."""
    found: list[Position] = []
    while len(found) < count:
        found.append(at)
        at = (at[0], at[1] + 1) if at[1] + 1 < schedule(at[0]).batches else (at[0] + 1, 0)
    return found


@pytest.mark.parametrize("at", [(0, 0), (0, 77), (2, 5)])
@pytest.mark.parametrize("reach", [1, 3, SEGMENT])
@pytest.mark.parametrize("slots", [range(SLOTS), range(2, 4)], ids=["all slots", "two slots"])
def test_every_row_gets_the_clip_that_is_scheduled(at: Position, reach: int, slots: range) -> None:
    count = 3 * schedule(0).batches // 2  # into the next epoch
    rows = filled(steps(count, slots=slots, reach=reach, at=at), len(slots))
    for number, (epoch, batch) in enumerate(positions(at, count)):
        for row, window in enumerate(schedule(epoch).batch(batch)[slots.start : slots.stop]):
            assert rows[number, row] == (window.chunk, window.frame)


def test_the_position_after_each_batch_is_that_of_the_next() -> None:
    assert [one.after for one in steps(250, at=(1, 3))] == positions((1, 3), 251)[1:]


@pytest.mark.parametrize("reach", [1, 3, SEGMENT])
def test_no_task_reaches_further_than_it_may(reach: int) -> None:
    scheduled = steps(120, reach=reach)
    ahead = [max((task.last - number for task in one.tasks), default=0) for number, one in enumerate(scheduled)]
    assert ahead[0] < FIRST_REACH  # the first batch waits for few others
    assert reach // 2 < max(ahead) + 1 <= reach


def test_a_chunk_is_decoded_for_all_batches_within_reach_at_once() -> None:
    def clips_per_task(reach: int) -> float:
        tasks = [task for one in steps(90, reach=reach) for task in one.tasks]
        return float(np.mean([len(task.frames) for task in tasks]))

    assert clips_per_task(1) == 1
    assert clips_per_task(SEGMENT) > 4  # of the 8 of a visit: some visits are shared by two slots


def test_nothing_is_scheduled_before_it_is_asked_for() -> None:
    asked: list[int] = []

    def recording(epoch: int) -> EpochSchedule:
        asked.append(epoch)
        return schedule(epoch)

    tasks = schedule_tasks(recording, range(SLOTS), SEGMENT, 4, 0)
    assert not asked
    next(tasks)
    assert asked == [4]


def test_a_split_of_one_batch_repeats_in_every_epoch() -> None:
    single = partial(EpochSchedule, np.full(6, 1), seed=0, batch_size=6, windows_per_chunk=8, shuffle_chunks=2)
    scheduled = list(islice(schedule_tasks(lambda epoch: single(epoch=epoch), range(6), SEGMENT, 0, 0), 3))
    assert [one.after for one in scheduled] == [(1, 0), (2, 0), (3, 0)]
    assert all({task.chunk for task in one.tasks} == set(range(6)) for one in scheduled)
