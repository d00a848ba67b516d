"""What a perturbation is: which principle it breaks, in which unit it has a strength, and which strengths are tried.

The principles are those of intuitive physics, as in IntPhys (arXiv:1803.07616) and LeWorldModel (arXiv:2603.19312,
section 6), and dynamics: what an action does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jepa.core.errors import InputError

PRINCIPLES = ("continuity", "immutability", "permanence", "solidity", "dynamics")
"""A thing moves without a jump; keeps its looks; neither vanishes nor comes from nowhere; is not passed through; and
goes on as physics and actions have it."""

STEPS_WAY = "steps' way"
"""Unit of a displacement: how far a step can lead at most along an axis, the world's `speed` where it has one."""
STEPS = "steps"
"""Unit of a duration: environment steps."""
OBJECTS = "objects"
"""Unit of a number of things."""
SHARE = "share"
"""Unit of a part of the whole, up to 1."""


@dataclass(frozen=True)
class Perturbation:
    """A perturbation that a world can be struck by, and how strongly."""

    name: str
    principle: str
    """One of `PRINCIPLES`."""
    physical: bool
    """Whether things themselves change: where they are, how many, how they move; False where only their looks do."""
    unit: str
    """Of a strength."""
    strengths: tuple[float, ...]
    """Strengths of a dose-response, ascending, the least barely visible; empty where there is the full one only."""
    strength: float
    """The full one, which is taken where none is given."""
    description: str
    before_step: bool = False
    """Whether it strikes before the environment steps that lead to the first frame that shows it."""
    full_is_at_least: bool = False
    """Whether in full, with no number given, it is of `strength` or more, and no point of a dose-response."""

    def __post_init__(self) -> None:
        """Refuses what cannot be, so that a world's declaration is wrong when it is imported."""
        if self.principle not in PRINCIPLES:
            raise ValueError(f"perturbation {self.name!r} breaks {self.principle!r}, none of: {', '.join(PRINCIPLES)}")
        if list(self.strengths) != sorted({*self.strengths}):
            raise ValueError(f"perturbation {self.name!r} has strengths that do not ascend: {self.strengths}")
        if self.full_is_at_least and not self.strengths:
            raise ValueError(f"perturbation {self.name!r} has no strength that is exact")

    def __str__(self) -> str:
        """Returns the name."""
        return self.name

    @property
    def doses(self) -> tuple[float, ...]:
        """Returns the strengths of a dose-response, ascending: the ladder, and the full one where it is exact."""
        return tuple(sorted({*self.strengths, *(() if self.full_is_at_least else (self.strength,))}))

    def full(self, strength: float | None) -> float:
        """Returns the strength, or the full one where none is given."""
        return self.strength if strength is None else strength

    def require(self, strength: float) -> None:
        """Makes sure that the perturbation can be of that strength.

        Raises:
            InputError: it cannot; the message names the range and the ladder.
        """
        if not self.strengths:
            raise InputError(f"strength is {strength!r} and perturbation {self.name!r} has no strengths; leave it out")
        most = 1.0 if self.unit.startswith(SHARE) else math.inf
        whole = "a whole number " if self.unit in (STEPS, OBJECTS) else ""
        fits = math.isfinite(strength) and 0 < strength <= most and (not whole or strength == int(strength))
        if not fits:
            limit = f"over 0 and up to {most:g}" if most < math.inf else "over 0"
            ladder = ", ".join(f"{one:g}" for one in self.strengths)
            raise InputError(
                f"strength is {strength!r}; perturbation {self.name!r} takes {whole or 'numbers '}{limit} "
                f"({self.unit}), such as: {ladder}"
            )


def find(world: str, perturbations: Sequence[Perturbation], name: str) -> Perturbation:
    """Returns the perturbation of that name.

    Raises:
        InputError: the world has none.
    """
    for perturbation in perturbations:
        if perturbation.name == name:
            return perturbation
    has = ", ".join(one.name for one in perturbations) or "none"
    raise InputError(f"world {world!r} has no perturbation {name!r}; it has: {has}")
