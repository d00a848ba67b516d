"""What can happen to Two-Room's agent that its dynamics do not explain.

An agent that does not move whatever its action is `ignore_action`: without inertia nothing tells it from a frozen one.
Shapes: N copies.
"""

import numpy as np
from numpy.typing import NDArray

from jepa.worlds.perturbations import (
    STEPS_WAY,
    duplicate,
    ignore_action,
    pass_through,
    recolour,
    resize,
    reverse,
    teleport,
    vanish,
)

Floats = NDArray[np.float32]

Span = tuple[np.float32, np.float32]

NEAR_WALL = 0.6
"""How far before the wall, in parts of the way through it, an agent may be that passes through: three steps' way."""

WAYS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)

PERTURBATIONS = (
    teleport(STEPS_WAY, WAYS, 10.0, "the agent is at a free place so far away; in full, anywhere from that far on"),
    recolour("the agent"),
    resize("the agent looks larger by that part, and is held by walls as before", "the radius"),
    vanish("the agent"),
    duplicate("agent that does as the first one does, so far from it", STEPS_WAY, WAYS, 10.0),
    pass_through(
        STEPS_WAY,
        (1.0, 2.0, 3.0, 4.0, 6.0),
        "an agent near the wall is so far beyond where the wall stops it; from 5 on, on its other side",
    ),
    reverse(),
    ignore_action(),
)
"""Teleport and recolour first: they are as old as the world, and in full they do what they always did."""


def passed_through(
    position_N2: Floats, before_wall_N: NDArray[np.bool_], way: float, wall: Span, scene: Span
) -> tuple[Floats, NDArray[np.bool_]]:
    """Returns the agents' places (N, 2) after those near the wall went straight into it, and which those are, (N,).

    Args:
        position_N2: their places now.
        before_wall_N: whose centre is at the height of the wall, not of its door.
        way: how far past the place where the wall stops an agent it gets.
        wall: x at which the wall stops an agent from the left, and from the right.
        scene: x at which the scene's borders do.
    """
    left, right = wall
    x_N = position_N2[:, 0]
    from_left_N = x_N <= left
    gap_N = np.where(from_left_N, left - x_N, x_N - right)
    struck_N = before_wall_N & (gap_N >= 0) & (gap_N <= NEAR_WALL * (right - left))
    beyond_N = np.where(from_left_N, left + np.float32(way), right - np.float32(way))
    beyond_N = np.clip(beyond_N, *scene)
    passed_N2 = np.stack([np.where(struck_N, beyond_N, x_N), position_N2[:, 1]], axis=1).astype(np.float32)
    return passed_N2, np.asarray(struck_N)
