"""Runs independent units of work, here or on a Ray cluster: the same function, the same results.

A unit must be idempotent, for one whose worker dies is run again, and its function importable, for workers import it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from infra.processes.environment import applied_environment
from infra.ray_cluster.connection import report_shortage
from pipelines.executor.failure import Failure, UnitsError, WorkerError
from pipelines.executor.heartbeat import beat
from pipelines.executor.job_log import JobLog
from pipelines.executor.main_guard import refuse_worker_start_up
from pipelines.executor.perform import perform
from pipelines.executor.pool import StalledError, run_pool
from pipelines.executor.queue import WorkQueue
from pipelines.executor.unit_log import UnitLog, recorded

Unit = TypeVar("Unit")
Result = TypeVar("Result")
Executor = Literal["local", "ray"]

WORKER_ENVIRONMENT = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
"""One worker a core; more threads each would fight for it."""


def run_units(
    function: Callable[[Unit], Result],
    units: Sequence[Unit],
    *,
    executor: Executor = "local",
    workers: int = 1,
    gpus_each: float = 0.0,
    cpus_each: float = 1.0,
    retries: int = 2,
    stall_seconds: float | None = None,
    on_result: Callable[[Unit, Result], None] | None = None,
    on_retry: Callable[[Unit, BaseException], None] | None = None,
    name: Callable[[Unit], str] = str,
    log: JobLog | None = None,
) -> list[Result]:
    """Returns the function's result for each unit, in the order of the units.

    Args:
        function: an importable function, or a functools.partial of one.
        units: what it is called with; small, as are its results, for both travel between processes.
        executor: `local` runs in this process, or in `workers` processes if there are several; `ray` in actors of the
            connected cluster.
        workers: units in flight at most.
        gpus_each: share of a GPU that each actor asks the cluster for; without one it sees none. Processes of this
            machine see all of its GPUs.
        cpus_each: cores that each actor asks the cluster for.
        retries: how often a unit that raised, or whose worker died or stalled, is run again.
        stall_seconds: a worker that neither ends its unit nor calls `beat` for so long is killed and replaced; None
            waits for ever, and so does work in this process.
        on_result: called here, in order of completion.
        on_retry: called here when a unit is put back to be run again.
        name: what a failing unit is called.
        log: of the job, open; each unit leaves a log of its own beside it.

    Raises:
        InputError: a unit said that the input is wrong; nothing is retried and the rest is given up. Or a script
            without a `__main__` guard asks for processes.
        UnitsError: units failed more often than `retries`; all others have been completed.
        InfraError: no worker can be started.
    """
    refuse_worker_start_up()
    queue = WorkQueue(units, retries, on_result, on_retry, name, log)
    workers = min(workers, len(units))
    if executor == "ray":
        from pipelines.executor.ray_pool import RayPool

        report_shortage(workers, cpus_each, gpus_each)
        run_pool(RayPool(function, gpus_each, cpus_each, stall_seconds), queue, workers, stall_seconds)
    elif workers > 1:
        from pipelines.executor.process_pool import ProcessPool

        # Inherited by the processes, which must find it before they import numpy or torch.
        with applied_environment(WORKER_ENVIRONMENT):
            run_pool(ProcessPool(function), queue, workers, stall_seconds)
    else:
        _run_here(function, queue)
    return queue.results()


def _run_here(function: Callable[[Any], Any], queue: WorkQueue[Any, Any]) -> None:
    while (number := queue.take()) is not None:
        try:
            done = perform(function, queue.task(number))
        except Exception as error:
            queue.failed(number, Failure.of(error))
        else:
            queue.done(number, done.result)


__all__ = [
    "Executor",
    "JobLog",
    "StalledError",
    "UnitLog",
    "UnitsError",
    "WorkerError",
    "beat",
    "recorded",
    "run_units",
]
