"""The same function gives the same results here, in processes and on Ray."""

import os

import pytest

from pipelines.executor import Executor, run_units
from tests.pipelines.executor.units import WAYS, WORKERS, square


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_results_come_in_order(executor: Executor, workers: int) -> None:
    seen: dict[int, int] = {}
    results = run_units(square, range(7), executor=executor, workers=workers, on_result=seen.__setitem__)
    assert results == [square(unit) for unit in range(7)]
    assert seen == {unit: square(unit) for unit in range(7)}


def threads(_: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


@pytest.mark.parametrize(("executor", "workers"), WORKERS)
def test_workers_use_one_thread(executor: Executor, workers: int) -> None:
    assert set(run_units(threads, range(2), executor=executor, workers=workers)) == {"1"}


def test_nothing_to_do() -> None:
    assert run_units(square, []) == []


def test_an_interrupt_ends_the_run() -> None:
    def interrupt(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_units(square, range(3), on_result=interrupt)
