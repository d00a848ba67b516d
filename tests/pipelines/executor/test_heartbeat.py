"""A unit that shows that it makes progress is left alone, however long it takes."""

import time

import pytest

from pipelines.executor import Executor, beat, run_units
from pipelines.executor.heartbeat import count, listen
from tests.pipelines.executor.units import WORKERS


def work_slowly(unit: int) -> int:
    for _ in range(24):
        time.sleep(0.5)
        beat()
    return unit


@pytest.mark.parametrize(("executor", "workers"), WORKERS)
def test_a_slow_unit_that_beats_is_left_alone(executor: Executor, workers: int) -> None:
    retried: list[int] = []
    run_units(
        work_slowly,
        range(2),
        executor=executor,
        workers=workers,
        stall_seconds=8,
        on_retry=lambda unit, _: retried.append(unit),
    )
    assert retried == []


def test_beats_are_counted_and_passed_to_listeners() -> None:
    before, heard = count(), list[int]()
    listen(lambda: heard.append(count()))
    beat()
    beat()
    assert count() == before + 2 and heard == [before + 1, before + 2]
