"""A goal of one episode, set up in the world of another: what is needed to plan between two episodes.

What an episode keeps from start to end (factors of variation and `Quantity.fixed`: a door's height, a colour, a size)
is the start's, everything else the goal's. The world renders such a goal, for no recording shows it.
Shapes: M pairs of states, d dimensions of a quantity.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import State
from jepa.core.errors import InputError
from jepa.worlds.world import World, WorldSpec


def require_stitching(spec: WorldSpec) -> None:
    """Passes where goals of one episode can be set up in the world of another.

    Raises:
        InputError: a state of the world is made of the actions of its own episode.
    """
    unrecorded = [quantity.name for quantity in spec.quantities if not quantity.recorded]
    if unrecorded:
        raise InputError(
            f"pairs is 'stitched' and world {spec.name!r} makes its states of the actions of an episode "
            f"({', '.join(unrecorded)}), so that no other episode's goal can be set up in it; choose `pairs: episode`"
        )


def fixed_quantities(spec: WorldSpec) -> frozenset[str]:
    """Returns the names of the quantities that an episode keeps from start to end."""
    factors = {factor.name for factor in spec.factors}
    return frozenset(one.name for one in spec.quantities if one.fixed or one.name in factors)


def goal_in_world_of(spec: WorldSpec, start: Mapping[str, NDArray[Any]], goal: Mapping[str, NDArray[Any]]) -> State:
    """Returns goals, (d,) or (M, d) by quantity, with what is fixed in an episode taken from their starts."""
    fixed = fixed_quantities(spec)
    return {name: np.array(start[name] if name in fixed else value) for name, value in goal.items()}


def shortest_steps(
    world: World | type[World],
    start: Mapping[str, NDArray[Any]],
    goal: Mapping[str, NDArray[Any]],
    speed: float | None = None,
) -> NDArray[np.float64] | None:
    """Returns in how many environment steps the shortest ways between M pairs (M, d) can be gone, (M,).

    None where the world knows no such ways, or not how fast they can be gone; `speed` is that of a shifted world.
    """
    way_M, speed = world.geodesic(start, goal), speed or world.world_spec.speed
    if way_M is None or speed is None:
        return None
    return np.asarray(way_M, dtype=np.float64) / speed
