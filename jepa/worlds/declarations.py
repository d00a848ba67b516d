"""What a world declares of itself: its quantities, its factors of variation, its shifts and its kinds of goals."""

from dataclasses import dataclass

import numpy as np

from jepa.core.errors import InputError


@dataclass(frozen=True)
class Quantity:
    """A named physical quantity of the state; `probe` says whether an evaluation should look for it in the latents."""

    name: str
    size: int
    unit: str
    description: str = ""
    probe: bool = True
    recorded: bool = True
    """False where it follows from the other quantities and the episode's actions, so that no episode stores it."""
    fixed: bool = False
    """Whether an episode keeps it from start to end; a factor of variation it keeps anyway."""
    motion: bool = False
    """Whether it says how the state changes, which no single frame shows, such as a velocity."""


@dataclass(frozen=True)
class Factor:
    """A factor of variation, drawn once an episode.

    Uniform on [low, high] less `held_out` or, for unseen episodes, on `held_out`.
    """

    name: str
    low: float
    high: float
    unit: str
    held_out: tuple[tuple[float, float], ...] = ()
    possible: tuple[float, float] | None = None
    """Least and greatest value that the world can be made to show, where that is more than it ever draws."""

    def sample(self, rng: np.random.Generator, unseen: bool = False) -> float:
        """Returns one value: of the training support, or of the held-out intervals where `unseen` and there are any."""
        intervals = self.held_out if unseen and self.held_out else self.training_support()
        lengths = np.array([high - low for low, high in intervals])
        if not lengths.sum():
            return self.low
        low, high = intervals[int(rng.choice(len(intervals), p=lengths / lengths.sum()))]
        return float(rng.uniform(low, high))

    def training_support(self) -> list[tuple[float, float]]:
        """Returns the intervals that training draws from."""
        edges = [self.low, *(edge for interval in sorted(self.held_out) for edge in interval), self.high]
        return list(zip(edges[::2], edges[1::2], strict=True))


@dataclass(frozen=True)
class Shift:
    """Something of a world that can be made other than in training, to see what a model makes of it.

    Where training never varies it, the world's constructor takes it as an option of this name, which at the usual value
    changes nothing. One that is called `speed` takes the place of `WorldSpec.speed`.
    """

    name: str
    usual: float | None
    """Value in training; None where that is drawn, once an episode, as a factor of variation."""
    low: float
    high: float
    """Least and greatest value that is possible."""
    unit: str
    description: str
    drawn: tuple[tuple[float, float], ...] = ()
    """intervals that training draws it from; none where it never varies"""

    def in_training(self, value: float) -> bool:
        """Returns whether training contains a value, so that it is no shift."""
        return value == self.usual or any(low <= value <= high for low, high in self.drawn)

    def __str__(self) -> str:
        return f"{self.name} ({self.low:g} to {self.high:g}" + (f" {self.unit})" if self.unit not in ("", "1") else ")")

    def check(self, value: float) -> float:
        """Returns a value that is possible.

        Raises:
            InputError: it is not.
        """
        if not self.low <= value <= self.high:
            unit = f" {self.unit}" if self.unit not in ("", "1") else ""
            raise InputError(
                f"shift {self.name} is {value:g}, and possible is {self.low:g} to {self.high:g}{unit}; "
                "choose a value in between"
            )
        return value


@dataclass(frozen=True)
class GoalKind:
    """A kind of planning problem: what its distance and its success test look at, and which goals are of it."""

    name: str
    quantities: tuple[str, ...]
    """Quantities that it scores; all others of a goal play no part."""
    description: str = "any start and goal"
    """Which pairs of start and goal make a problem of the kind."""
