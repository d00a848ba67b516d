"""What can happen to a world that its dynamics do not explain: perturbations, by the principle that each one breaks.

The principles are those of intuitive physics, as in IntPhys (arXiv:1803.07616) and LeWorldModel (arXiv:2603.19312,
section 6), and dynamics: what an action does.
Shapes: N copies, M places, D directions.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions
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
IGNORE_ACTION, REVERSE = "ignore_action", "reverse"
FOR_STEPS = (1.0, 2.0, 3.0, 5.0, 10.0)
"""For how many steps dynamics are perturbed, the last in full."""


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


def part_way(start_3: NDArray[np.float32], end_3: NDArray[np.float32], share: float | None) -> NDArray[np.float32]:
    """Returns the colour at a share of the straight way from one to another; at the end where no share is given."""
    return np.asarray(end_3 if share is None else start_3 + np.float32(share) * (end_3 - start_3), dtype=np.float32)


def hue_on_the_way(start: float, end: float, share: float | None) -> float:
    """Returns the hue in degrees at a share of the shorter way from one to another; at the end where none is given."""
    return end if share is None else start + share * ((end - start + 180) % 360 - 180)


class Lasting:
    """What is in force in all copies of a world and is no part of its state; `begin` and `restore` end it.

    Looks last until then, and what an action does for so many steps.
    """

    def __init__(self) -> None:
        self._looks: dict[str, float] = {}
        self._steps_left: dict[str, int] = {}

    def clear(self) -> None:
        """Ends everything."""
        self._looks.clear()
        self._steps_left.clear()

    def start(self, perturbation: Perturbation, strength: float) -> None:
        """Puts a perturbation in force, in place of an earlier one of its name."""
        if perturbation.unit == STEPS:
            self._steps_left[perturbation.name] = int(strength)
        else:
            self._looks[perturbation.name] = strength

    @property
    def looks(self) -> bool:
        """Whether some change of looks is in force."""
        return bool(self._looks)

    def strength(self, name: str) -> float:
        """Returns the strength of a change of looks, 0 where there is none."""
        return self._looks.get(name, 0.0)

    def acts(self, name: str) -> bool:
        """Whether a perturbation is in force in the next step."""
        return name in self._steps_left

    def action(self, action_NA: Actions, idle: float) -> Actions:
        """Returns what the next step does in place of an action: nothing, the opposite, or that action."""
        if self.acts(IGNORE_ACTION):
            return np.full_like(action_NA, idle)
        return 2 * np.float32(idle) - action_NA if self.acts(REVERSE) else action_NA

    def end_step(self) -> None:
        """Counts a step down."""
        if self._steps_left:
            self._steps_left = {name: left - 1 for name, left in self._steps_left.items() if left > 1}


def ignore_action() -> Perturbation:
    """Returns the declaration of an action that is not carried out."""
    what = "for so many steps the world goes on as if no action were given"
    return Perturbation(IGNORE_ACTION, "dynamics", True, STEPS, FOR_STEPS, FOR_STEPS[-1], what, before_step=True)


def reverse() -> Perturbation:
    """Returns the declaration of actions that do the opposite."""
    what = "for so many steps every action does the opposite"
    return Perturbation(REVERSE, "dynamics", True, STEPS, FOR_STEPS, FOR_STEPS[-1], what, before_step=True)


def recolour(what: str, another: str = "colour") -> Perturbation:
    """Returns the declaration of something that takes a colour, or a hue, that training never shows."""
    return Perturbation(
        "recolour",
        "immutability",
        physical=False,
        unit=f"{SHARE} of the way to the other {another}",
        strengths=(0.05, 0.1, 0.2, 0.5, 1.0),
        strength=1.0,
        description=f"{what} takes a {another} that training never shows, or one on the way there",
    )


def vanish(what: str, name: str = "vanish") -> Perturbation:
    """Returns the declaration of something that fades, or is not seen any more, and is still there."""
    ladder, text = (0.1, 0.25, 0.5, 0.75, 1.0), f"{what} fades, in full to nothing, and lives on unseen"
    return Perturbation(name, "permanence", True, f"{SHARE} of its opacity", ladder, 1.0, text)


DIRECTIONS = 72
"""Directions that are tried around the drawn one."""
DISTANCES = 64
"""Shorter and longer distances that are tried where no direction is free, each by this part of the whole."""


def teleported(
    place_2: NDArray[np.float32],
    distance: float,
    rng: np.random.Generator,
    is_free: Callable[[NDArray[np.float32]], NDArray[np.bool_]],
) -> NDArray[np.float32]:
    """Returns the free place at that distance whose direction is nearest to a drawn one.

    Where there is none at all, it is at the nearest distance at which there is one, or the present place.

    Args:
        place_2: where it is now.
        distance: in the place's unit.
        rng: draws the direction, and as much whatever the distance.
        is_free: says which of M places (M, 2) are free, (M,).
    """
    drawn = rng.uniform(0, 2 * math.pi)
    aside_D = np.arange(DIRECTIONS)
    angle_D = drawn + (aside_D + 1) // 2 * np.where(aside_D % 2, 1, -1) * 2 * math.pi / DIRECTIONS
    heading_D2 = np.stack([np.cos(angle_D), np.sin(angle_D)], axis=1)
    for part in range(DISTANCES + 1):
        for sign in (-1, 1):
            reach = distance * (1 + sign * part / DISTANCES)
            tried_D2 = (np.asarray(place_2, dtype=np.float64) + reach * heading_D2).astype(np.float32)
            free = np.flatnonzero(is_free(tried_D2))
            if len(free):
                return np.asarray(tried_D2[free[0]])
    return np.asarray(place_2, dtype=np.float32)
