"""What a check finds: one line for each step, with what to do where something is wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from infra.errors import InfraError
from jepa.core.errors import InputError


class Status(StrEnum):
    """How a step ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line of the answer."""

    check: str
    """subject, e.g. `store`"""
    step: str
    """what of it, e.g. `range read`"""
    status: Status
    found: str
    remedy: str = ""
    """what to do; never empty where the step failed"""


@dataclass(frozen=True)
class Asked:
    """What the checks are to look at."""

    store: str
    """URI of the store"""
    seconds: float
    """how long a step may take"""


class Step:
    """A step that is being checked: exactly one of its methods says how it ended."""

    def __init__(self) -> None:
        self.verdict: tuple[Status, str, str] | None = None

    @property
    def passed(self) -> bool:
        """Returns whether what the step looked at works."""
        return self.verdict is not None and self.verdict[0] in (Status.OK, Status.WARNING)

    def ok(self, found: str) -> None:
        """Ends the step well."""
        self.verdict = Status.OK, found, ""

    def warning(self, found: str, remedy: str) -> None:
        """Ends the step with something that works and may hurt."""
        self.verdict = Status.WARNING, found, remedy

    def failed(self, found: str, remedy: str) -> None:
        """Ends the step with something that will make jobs fail."""
        self.verdict = Status.FAILED, found, remedy

    def skipped(self, reason: str) -> None:
        """Ends the step without having looked."""
        self.verdict = Status.SKIPPED, reason, ""


class Report:
    """Takes the steps of one check as they begin and end, and hands them on at once: the next step may never end."""

    def __init__(self, check: str, begin: Callable[[str], None], end: Callable[[Finding], None]) -> None:
        """Takes the check's name, and what is called with each step's name and with each finding."""
        self.check = check
        self._begin, self._end = begin, end

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Runs one step; an error that leaves the block is its finding, and the check goes on."""
        self._begin(name)
        step = Step()
        try:
            yield step
        except Exception as error:  # of any kind: the machine is what is being examined
            step.failed(*sentence_and_remedy(error))
        status, found, remedy = step.verdict or (
            Status.FAILED,
            "the step said nothing",
            "report this as a fault of jepa",
        )
        self._end(Finding(self.check, name, status, " ".join(found.split()), " ".join(remedy.split())))

    def skip(self, reason: str, *names: str) -> None:
        """Marks steps as skipped, for a reason that holds for all of them."""
        for name in names:
            with self.step(name) as step:
                step.skipped(reason)


def sentence_and_remedy(error: Exception) -> tuple[str, str]:
    """Returns what an error says, parted where our sentences part problem and remedy."""
    text = " ".join(str(error).split())
    if not isinstance(error, InputError | InfraError):
        return (
            f"{type(error).__name__}: {text[:300]}",
            "this is no error that jepa expects; see what its words point to",
        )
    problem, semicolon, remedy = text.partition("; ")
    return (problem, remedy) if semicolon else (text, "correct what the sentence names")
