"""Workers that die or stall are replaced; the units that they had are done by others."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from infra.errors import InfraError
from pipelines.executor import Executor, StalledError, UnitsError, run_units
from pipelines.executor.perform import Place, Task
from pipelines.executor.pool import STARTS, Event, WorkerPool, run_pool
from pipelines.executor.queue import WorkQueue
from tests.pipelines.executor.units import WORKERS, die_at_first, hang, hang_at_first, stop_at_first


@pytest.mark.parametrize(("executor", "workers"), WORKERS)
def test_a_killed_worker_is_replaced(tmp_path: Path, executor: Executor, workers: int) -> None:
    assert run_units(partial(die_at_first, tmp_path), range(5), executor=executor, workers=workers) == list(range(5))


@pytest.mark.parametrize(("executor", "workers"), WORKERS)
@pytest.mark.parametrize("fault", [hang_at_first, stop_at_first])
def test_a_stalled_worker_is_replaced(
    tmp_path: Path, fault: Callable[[Path, int], int], executor: Executor, workers: int
) -> None:
    retried: list[tuple[int, str]] = []
    results = run_units(
        partial(fault, tmp_path),
        range(5),
        executor=executor,
        workers=workers,
        stall_seconds=3,
        on_retry=lambda unit, error: retried.append((unit, str(error))),
    )
    assert results == list(range(5))
    # On a busy machine another worker may be slow to show a sign, too.
    assert retried and {sentence for _, sentence in retried} == {"no sign of progress for 3 s; its worker was replaced"}


@pytest.mark.parametrize(("executor", "workers"), WORKERS)
def test_a_unit_that_always_stalls_is_named(executor: Executor, workers: int) -> None:
    with pytest.raises(UnitsError, match=r"1 of 3 units failed .*1: no sign of progress for 4 s") as caught:
        run_units(hang, range(3), executor=executor, workers=workers, stall_seconds=4, retries=1)
    assert isinstance(caught.value.failures["1"].error, StalledError)


class ScriptedPool(WorkerPool):
    """Workers that do what a test says: it lists what happens to each new one."""

    def __init__(self, lives: list[str]) -> None:
        self.lives, self.events, self.closed = lives, list[Event](), False

    def start(self, slot: int) -> None:
        life = self.lives.pop(0)
        self.events.append(
            Event(slot, "ready", Place("host", 7)) if life == "ready" else Event(slot, "died", InfraError(life))
        )

    def submit(self, slot: int, task: Task) -> None:
        if task.unit == "cannot be sent":
            raise TypeError("no pickle")
        self.events.append(Event(slot, "done", task.unit))

    def wait(self, seconds: float) -> list[Event]:
        events, self.events = self.events, []
        return events

    def kill(self, slot: int) -> None:
        raise AssertionError("nobody stalls here")

    def close(self) -> None:
        self.closed = True


def queue_of(*units: str) -> WorkQueue[str, str]:
    return WorkQueue(units, 1, None, None, str)


def test_workers_that_die_before_they_are_ready_are_started_some_times() -> None:
    queue, pool = queue_of("a"), ScriptedPool(["lost"] * STARTS + ["ready"])
    run_pool(pool, queue, 1, None)
    assert queue.results() == ["a"] and pool.closed
    pool = ScriptedPool(["no memory"] * (STARTS + 1))
    with pytest.raises(InfraError, match="a worker cannot start: no memory"):
        run_pool(pool, queue_of("a"), 1, None)
    assert pool.closed


def test_a_unit_that_cannot_be_sent_fails_alone() -> None:
    queue = queue_of("a", "cannot be sent", "b")
    run_pool(ScriptedPool(["ready"]), queue, 1, None)
    with pytest.raises(UnitsError, match=r"1 of 3 units failed .*cannot be sent: TypeError: no pickle"):
        queue.results()
