"""A failing unit is tried again, a hopeless one is named once all others are done, a wrong input ends the run."""

from functools import partial
from pathlib import Path

import pytest

from infra.errors import InfraError
from jepa.core.errors import InputError
from pipelines.executor import Executor, UnitsError, run_units
from pipelines.executor.failure import Failure
from pipelines.executor.queue import WorkQueue
from tests.pipelines.executor.units import WAYS, fail_at_first, fail_at_three, refuse


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_failing_unit_is_tried_again(tmp_path: Path, executor: Executor, workers: int) -> None:
    retried: list[tuple[int, str]] = []
    results = run_units(
        partial(fail_at_first, tmp_path),
        [4, 5],
        executor=executor,
        workers=workers,
        retries=1,
        on_retry=lambda unit, error: retried.append((unit, repr(error))),
    )
    assert results == [4, 5] and (tmp_path / "4").read_text() == "xx"
    assert sorted(retried) == [(4, "OSError('once')"), (5, "OSError('once')")]


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_hopeless_unit_is_named_and_the_rest_completes(executor: Executor, workers: int) -> None:
    seen: dict[int, int] = {}
    with pytest.raises(UnitsError, match=r"1 of 6 units failed.*unit-3: ValueError: three is no good") as caught:
        run_units(
            fail_at_three,
            range(6),
            executor=executor,
            workers=workers,
            retries=1,
            on_result=seen.__setitem__,
            name=lambda unit: f"unit-{unit}",
        )
    assert sorted(seen) == [0, 1, 2, 4, 5] and list(caught.value.failures) == ["unit-3"]
    assert "\n" not in str(caught.value)
    failure = caught.value.failures["unit-3"]
    assert isinstance(failure.error, ValueError) and "in fail_at_three" in failure.attempt.traceback


def fail(unit: int) -> int:
    raise OSError(f"no {unit}")


def test_many_failures_do_not_fill_the_screen() -> None:
    with pytest.raises(UnitsError, match=r"9 of 9 units failed .*; and 4 more\)$") as caught:
        run_units(fail, range(9), retries=0)
    assert len(caught.value.failures) == 9


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_wrong_input_is_not_tried_again(tmp_path: Path, executor: Executor, workers: int) -> None:
    with pytest.raises(InputError, match="the field is wrong; correct it"):
        run_units(partial(refuse, tmp_path), range(20), executor=executor, workers=workers)
    assert len(list(tmp_path.iterdir())) <= 2 * workers


def test_a_unit_that_was_put_back_comes_after_those_that_wait() -> None:
    queue: WorkQueue[str, int] = WorkQueue(["a", "b", "c"], 1, None, None, str)
    first = queue.take()
    assert first == 0
    queue.failed(first, Failure.of(OSError("once")))
    assert [queue.take() for _ in range(4)] == [1, 2, 0, None] and not queue.has_waiting()
    for number in (1, 2):
        queue.done(number, number)
    queue.failed(0, Failure.of(InfraError("the store is gone")))
    with pytest.raises(UnitsError, match=r"1 of 3 units failed .*\(a: the store is gone\)"):
        queue.results()
