"""What can happen to the counted objects that no action does; where they are is drawn again at each step anyway."""

import numpy as np

from jepa.worlds.counting.scene import MOST
from jepa.worlds.perturbations import OBJECTS, ignore_action, recolour, resize, reverse, teleport, vanish

TELEPORT = 2
"""Least change of the count that no action makes."""

PERTURBATIONS = (
    teleport(OBJECTS, (1.0, 2.0, 3.0, 4.0), 2.0, "so many objects come or go at once; in full, two or more"),
    recolour("all objects", "hue"),
    resize("all objects look larger by that part", "their radius"),
    vanish("every object"),
    reverse(),
    ignore_action(),
)


def other_count(count: int, rng: np.random.Generator, change: float | None) -> int:
    """Returns a count that differs by as many objects or, where none is said, by `TELEPORT` or more."""
    counts = np.arange(MOST + 1)
    if change is None:
        return int(rng.choice(counts[np.abs(counts - count) >= TELEPORT]))
    # The sense is drawn once whatever the change; where there is no room, it is the other one.
    sign = 1 if rng.random() < 0.5 else -1
    there = count + sign * int(change)
    return int(np.clip(there if 0 <= there <= MOST else count - sign * int(change), 0, MOST))
