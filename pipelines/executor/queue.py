"""Which units wait, are done or have failed for good."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from infra.errors import InfraError
from jepa.core.errors import InputError

TOLD = 5
"""Failures that the message names; `UnitsError.failures` has all."""

Unit = TypeVar("Unit")
Result = TypeVar("Result")


class UnitsError(InfraError):
    """Some units failed again and again while all others were completed."""

    def __init__(self, failures: dict[str, BaseException], total: int) -> None:
        told = "; ".join(f"{name}: {reason(error)}" for name, error in list(failures.items())[:TOLD])
        told += f"; and {len(failures) - TOLD} more" if len(failures) > TOLD else ""
        super().__init__(
            f"{len(failures)} of {total} units failed and the rest is done; run again to retry them ({told})"
        )
        self.failures = failures


class Board(Generic[Unit, Result]):
    """The state of all units of one run."""

    def __init__(
        self,
        units: Sequence[Unit],
        retries: int,
        on_result: Callable[[Unit, Result], None] | None,
        on_retry: Callable[[Unit, BaseException], None] | None,
        name: Callable[[Unit], str],
    ) -> None:
        self.units = units
        self._waiting = list(range(len(units)))[::-1]
        self._left = dict.fromkeys(range(len(units)), retries)
        self._results: dict[int, Result] = {}
        self._failures: dict[str, BaseException] = {}
        self._on_result, self._on_retry, self._name = on_result, on_retry, name

    def take(self) -> int | None:
        """Returns the next unit's number, or None if none waits."""
        return self._waiting.pop() if self._waiting else None

    def has_waiting(self) -> bool:
        """Returns whether a unit waits."""
        return bool(self._waiting)

    def done(self, number: int, result: Result) -> None:
        """Keeps a unit's result and tells the caller."""
        self._results[number] = result
        if self._on_result is not None:
            self._on_result(self.units[number], result)

    def failed(self, number: int, error: BaseException) -> None:
        """Puts a unit back, or gives it up; a wrong input is raised at once, for it would be wrong everywhere."""
        if isinstance(error, InputError):
            raise error
        if not self._left[number]:
            self._failures[self._name(self.units[number])] = error
            return
        self._left[number] -= 1
        # At the end of the line, so that a unit which kills its workers does not hold up the others.
        self._waiting.insert(0, number)
        if self._on_retry is not None:
            self._on_retry(self.units[number], error)

    def results(self) -> list[Result]:
        """Returns the results in the order of the units, or raises what is left of the failures."""
        if self._failures:
            raise UnitsError(self._failures, len(self.units))
        return [self._results[number] for number in range(len(self.units))]


def reason(error: BaseException) -> str:
    """Returns an error in one line; what is no InfraError is told with its type."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return first if isinstance(error, InfraError) and first else f"{type(error).__name__}: {first}"
