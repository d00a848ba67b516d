"""How much changes at a strength: colours and hues on the way to another, and places so far away.

Shapes: M places, D directions.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 72
"""Directions that are tried around the drawn one."""
DISTANCES = 64
"""Shorter and longer distances that are tried where no direction is free, each by this part of the whole."""


def part_way(start_3: NDArray[np.float32], end_3: NDArray[np.float32], share: float | None) -> NDArray[np.float32]:
    """Returns the colour at a share of the straight way from one to another; at the end where no share is given."""
    return np.asarray(end_3 if share is None else start_3 + np.float32(share) * (end_3 - start_3), dtype=np.float32)


def hue_on_the_way(start: float, end: float, share: float | None) -> float:
    """Returns the hue in degrees at a share of the shorter way from one to another; at the end where none is given."""
    return end if share is None else start + share * ((end - start + 180) % 360 - 180)


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
