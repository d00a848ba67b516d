"""The same function gives the same results here, in processes and on Ray; failures are retried, then named."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from jepa.core.errors import InputError
from pipelines.executor import Executor, StalledError, UnitsError, beat, run_units

WAYS = [
    pytest.param("local", 1, id="here"),
    pytest.param("local", 2, id="processes", marks=pytest.mark.slow),
    pytest.param("ray", 2, id="ray", marks=pytest.mark.ray),
]


@pytest.fixture(autouse=True)
def cluster(request: pytest.FixtureRequest) -> None:
    """Starts Ray for the tests that say so, and for no other."""
    if request.node.get_closest_marker("ray"):
        request.getfixturevalue("ray_cluster")


def square(unit: int) -> int:
    return unit * unit


def count_tries(folder: Path, unit: int) -> int:
    with (folder / str(unit)).open("a") as file:
        file.write("x")
    return (folder / str(unit)).stat().st_size


def fail_at_first(folder: Path, unit: int) -> int:
    if count_tries(folder, unit) < 2:
        raise OSError("once")
    return unit


def fail_at_three(unit: int) -> int:
    if unit == 3:
        raise ValueError("three is no good\nsecond line")
    return unit


def refuse(folder: Path, unit: int) -> int:
    count_tries(folder, unit)
    raise InputError("the field is wrong; mend it")


def die_at_first(folder: Path, unit: int) -> int:
    if unit == 2 and count_tries(folder, unit) < 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return unit


def hang_at_first(folder: Path, unit: int) -> int:
    if unit == 2 and count_tries(folder, unit) < 2:
        time.sleep(3600)
    return unit


def stop_at_first(folder: Path, unit: int) -> int:
    if unit == 2 and count_tries(folder, unit) < 2:
        os.kill(os.getpid(), signal.SIGSTOP)  # not even its threads answer
    return unit


def hang(unit: int) -> int:
    time.sleep(3600 if unit == 1 else 0)
    return unit


def work_slowly(unit: int) -> int:
    for _ in range(24):
        time.sleep(0.5)
        beat()
    return unit


def threads(_: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_results_come_in_order(executor: Executor, workers: int) -> None:
    seen: dict[int, int] = {}
    results = run_units(square, range(7), executor=executor, workers=workers, on_result=seen.__setitem__)
    assert results == [square(unit) for unit in range(7)]
    assert seen == {unit: square(unit) for unit in range(7)}


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_failing_unit_is_tried_again(tmp_path: Path, executor: Executor, workers: int) -> None:
    assert run_units(partial(fail_at_first, tmp_path), [4, 5], executor=executor, workers=workers, retries=1) == [4, 5]
    assert (tmp_path / "4").read_text() == "xx"


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_hopeless_unit_is_named_and_the_rest_completes(executor: Executor, workers: int) -> None:
    seen: dict[int, int] = {}
    with pytest.raises(UnitsError, match=r"1 of 6 units failed.*unit-3: ValueError: three is no good") as told:
        run_units(
            fail_at_three,
            range(6),
            executor=executor,
            workers=workers,
            retries=1,
            on_result=seen.__setitem__,
            name=lambda unit: f"unit-{unit}",
        )
    assert sorted(seen) == [0, 1, 2, 4, 5] and list(told.value.failures) == ["unit-3"]
    assert "\n" not in str(told.value)


def fail(unit: int) -> int:
    raise OSError(f"no {unit}")


def test_many_failures_do_not_fill_the_screen() -> None:
    with pytest.raises(UnitsError, match=r"9 of 9 units failed .*; and 4 more\)$") as told:
        run_units(fail, range(9), retries=0)
    assert len(told.value.failures) == 9


@pytest.mark.parametrize(("executor", "workers"), WAYS)
def test_a_wrong_input_is_not_tried_again(tmp_path: Path, executor: Executor, workers: int) -> None:
    with pytest.raises(InputError, match="the field is wrong; mend it"):
        run_units(partial(refuse, tmp_path), range(20), executor=executor, workers=workers)
    assert len(list(tmp_path.iterdir())) <= 2 * workers


@pytest.mark.parametrize(("executor", "workers"), WAYS[1:])
def test_a_killed_worker_is_replaced(tmp_path: Path, executor: Executor, workers: int) -> None:
    assert run_units(partial(die_at_first, tmp_path), range(5), executor=executor, workers=workers) == list(range(5))


@pytest.mark.parametrize(("executor", "workers"), WAYS[1:])
@pytest.mark.parametrize("fault", [hang_at_first, stop_at_first])
def test_a_stalled_worker_is_replaced(tmp_path: Path, fault: object, executor: Executor, workers: int) -> None:
    told: list[tuple[int, str]] = []
    results = run_units(
        partial(fault, tmp_path),  # type: ignore[arg-type]
        range(5),
        executor=executor,
        workers=workers,
        stall_seconds=3,
        on_retry=lambda unit, error: told.append((unit, str(error))),
    )
    assert results == list(range(5))
    # On a busy machine another worker may be slow to show a sign, too.
    assert told and {sentence for _, sentence in told} == {"no sign of progress for 3 s; its worker was replaced"}


@pytest.mark.parametrize(("executor", "workers"), WAYS[1:])
def test_a_unit_that_always_stalls_is_named(executor: Executor, workers: int) -> None:
    with pytest.raises(UnitsError, match=r"1 of 3 units failed .*1: no sign of progress for 4 s") as told:
        run_units(hang, range(3), executor=executor, workers=workers, stall_seconds=4, retries=1)
    assert isinstance(told.value.failures["1"], StalledError)


@pytest.mark.parametrize(("executor", "workers"), WAYS[1:])
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


@pytest.mark.parametrize(("executor", "workers"), WAYS[1:])
def test_workers_use_one_thread(executor: Executor, workers: int) -> None:
    assert set(run_units(threads, range(2), executor=executor, workers=workers)) == {"1"}


def test_nothing_to_do() -> None:
    assert run_units(square, []) == []


def test_an_interrupt_ends_the_run() -> None:
    def interrupt(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_units(square, range(3), on_result=interrupt)
