"""What the options of every search hold: how far it plans, and how many candidates it judges at once."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Self

from pydantic import PositiveInt

from jepa.core.config import Config


class SearchConfig(Config):
    """How far a search plans and how much of it is done at once."""

    horizon: PositiveInt = 5
    """planning horizon: length of a plan in action blocks"""
    candidates_at_once: PositiveInt = 300
    """most candidates rolled out at once, which bounds the memory; with no more of them than one problem has, the
    problems beside it change no bit of its plan"""

    @property
    @abstractmethod
    def candidates(self) -> int:
        """Returns the most candidates that a problem has at once."""

    def within(self, steps_left: int | None, frameskip: int) -> Self:
        """Returns the same search for a plan of no more action blocks than the steps left need, but for one at least.

        Args:
            steps_left: environment steps in which the goal should be reached; None changes nothing.
            frameskip: environment steps of an action block.
        """
        if steps_left is None:
            return self
        blocks = max(1, -(-steps_left // frameskip))
        return self.model_copy(update={"horizon": min(self.horizon, blocks)})

    def groups(self, problems: int, at_once: int | None = None) -> Iterator[slice]:
        """Yields the problems, so few at a time that all their candidates fit, but one at least.

        Args:
            problems: how many there are.
            at_once: most candidates at once; `candidates_at_once` by default.
        """
        size = max(1, (at_once or self.candidates_at_once) // self.candidates)
        return (slice(start, min(start + size, problems)) for start in range(0, problems, size))
