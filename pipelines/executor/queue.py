"""The work queue: which units wait, are done or have failed for good."""

import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from infra.observability.event_log import FIELDS, WORDS
from pipelines.executor.failure import Failure, UnitsError
from pipelines.executor.job_log import JobLog
from pipelines.executor.perform import Task
from pipelines.executor.unit_log import UnitLog

log = logging.getLogger(__name__)

Unit = TypeVar("Unit")
Result = TypeVar("Result")


class WorkQueue(Generic[Unit, Result]):
    """The state of all units of one run."""

    def __init__(
        self,
        units: Sequence[Unit],
        retries: int,
        on_result: Callable[[Unit, Result], None] | None,
        on_retry: Callable[[Unit, BaseException], None] | None,
        name: Callable[[Unit], str],
        log: JobLog | None = None,
    ) -> None:
        self.units = units
        self._waiting = list(range(len(units)))[::-1]
        self._left = dict.fromkeys(range(len(units)), retries)
        self._results: dict[int, Result] = {}
        self._failures: dict[int, Failure] = {}
        self._on_result, self._on_retry, self._name = on_result, on_retry, name
        self._log = log
        self._unit_logs: dict[int, UnitLog] = {}
        """of units that have been taken"""
        if log is not None:
            log.add_units(len(units))

    def take(self) -> int | None:
        """Returns the next unit's number, or None if none waits."""
        return self._waiting.pop() if self._waiting else None

    def has_waiting(self) -> bool:
        """Returns whether a unit waits."""
        return bool(self._waiting)

    def task(self, number: int) -> Task:
        """Returns what a worker is given for the next attempt at a unit."""
        if self._log is not None and number not in self._unit_logs:
            self._unit_logs[number] = self._log.unit(self.units[number])
        return Task(self.units[number], self._unit_logs.get(number))

    def heard(self) -> None:
        """Notes that a worker has shown progress."""
        if self._log is not None:
            self._log.heard()

    def done(self, number: int, result: Result, messages: Sequence[str] = ()) -> None:
        """Keeps a unit's result and passes it to the caller; what its worker said goes to our log."""
        if messages:
            words = "\n".join(messages)
            log.info("%s said:", self._name(self.units[number]), extra={WORDS: words, FIELDS: {"said": words}})
        self._results[number] = result
        self._unit_logs.pop(number, None)
        if self._log is not None:
            self._log.unit_done()
        if self._on_result is not None:
            self._on_result(self.units[number], result)

    def lost(self, number: int, failure: Failure) -> None:
        """Counts a failure that the unit's worker could not log itself: it died, or it knows nothing of it."""
        if number in self._unit_logs:
            self._unit_logs[number].write_failure(failure)
        self.failed(number, failure)

    def failed(self, number: int, failure: Failure) -> None:
        """Puts a unit back, or gives it up; a wrong input is raised at once, for it would be wrong everywhere."""
        retried = failure.family != "input" and self._left[number] > 0
        self._say(number, failure, retried)
        if self._log is not None:
            self._log.unit_failed(retried)
        if failure.family == "input":
            raise failure.error
        if number in self._unit_logs and retried:
            self._unit_logs[number] = self._unit_logs[number].after(failure)
        if not retried:
            self._failures[number] = failure
            return
        self._left[number] -= 1
        # At the end of the line, so that a unit which kills its workers does not hold up the others.
        self._waiting.insert(0, number)
        if self._on_retry is not None:
            self._on_retry(self.units[number], failure.error)

    def _say(self, number: int, failure: Failure, retried: bool) -> None:
        """Logs a failure, in INFO: who shows it decides whether to show the worker's traceback, which is beside it."""
        attempt = failure.attempt
        where = f" (process {attempt.pid} on {attempt.host})" if attempt.host else ""
        then = "it is tried again" if retried else "it is given up"
        text = f"{self._name(self.units[number])} failed{where}, {then}: {attempt.error}"
        log.info("%s", text, extra={WORDS: attempt.traceback, FIELDS: {"exception": attempt.traceback}})

    def results(self) -> list[Result]:
        """Returns the results in the order of the units, or raises what is left of the failures."""
        if self._failures:
            names = {number: self._name(self.units[number]) for number in self._failures}
            error = UnitsError(
                {names[number]: failure for number, failure in self._failures.items()},
                len(self.units),
                {names[number]: self._unit_logs[number].address for number in names if number in self._unit_logs},
            )
            raise error from next(iter(self._failures.values())).error
        return [self._results[number] for number in range(len(self.units))]
