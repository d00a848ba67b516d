"""Runs independent units of work, here or on a Ray cluster: the same function, the same results.

A unit must be idempotent, for one whose worker dies is run again, and its function importable, for workers import it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from infra.environment import applied_environment
from pipelines.executor.heartbeat import beat
from pipelines.executor.pool import StalledError, run_crew
from pipelines.executor.queue import Board, UnitsError

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
    retries: int = 2,
    stall_seconds: float | None = None,
    on_result: Callable[[Unit, Result], None] | None = None,
    on_retry: Callable[[Unit, BaseException], None] | None = None,
    name: Callable[[Unit], str] = str,
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
        retries: how often a unit that raised, or whose worker died or stalled, is run again.
        stall_seconds: a worker that neither ends its unit nor calls `beat` for so long is killed and replaced; None
            waits for ever, and so does work in this process.
        on_result: called here, in order of completion.
        on_retry: called here when a unit is put back to be run again.
        name: what a failing unit is called.

    Raises:
        InputError: a unit said that the input is wrong; nothing is retried and the rest is given up.
        UnitsError: units failed more often than `retries`; all others have been completed.
        InfraError: no worker can be started.
    """
    board = Board(units, retries, on_result, on_retry, name)
    workers = min(workers, len(units))
    if executor == "ray":
        from pipelines.executor.ray_pool import RayCrew

        run_crew(RayCrew(function, gpus_each), board, workers, stall_seconds)
    elif workers > 1:
        from pipelines.executor.process_pool import ProcessCrew

        # Inherited by the processes, which must find it before they import numpy or torch.
        with applied_environment(WORKER_ENVIRONMENT):
            run_crew(ProcessCrew(function), board, workers, stall_seconds)
    else:
        _run_here(function, board)
    return board.results()


def _run_here(function: Callable[[Any], Any], board: Board[Any, Any]) -> None:
    while (number := board.take()) is not None:
        try:
            result = function(board.units[number])
        except Exception as error:
            board.failed(number, error)
        else:
            board.done(number, result)


__all__ = ["Executor", "StalledError", "UnitsError", "beat", "run_units"]
