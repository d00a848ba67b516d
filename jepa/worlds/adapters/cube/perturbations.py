"""What can happen to the cube, and to the arm's control, that their dynamics do not explain.

Shapes: M places.
"""

import numpy as np
from numpy.typing import NDArray

from jepa.worlds.adapters.mujoco_looks import Place
from jepa.worlds.perturbations import (
    SHARE,
    duplicate,
    for_steps,
    ignore_action,
    pass_through,
    recolour,
    resize,
    reverse,
    teleport,
    teleported,
    vanish,
)

Floats = NDArray[np.float32]

TABLE = np.array([[0.3, -0.3], [0.55, 0.3]])
"""Least and largest x and y at which the package puts the cube."""
WAYS = (0.01, 0.02, 0.05, 0.1, 0.2)
NEAR = 0.1
"""Metres between gripper and cube within which what the gripper does may move it."""

PERTURBATIONS = (
    teleport("metre", WAYS, 0.1, "the cube is so far away at its height; in full, it lies anywhere from that far on"),
    recolour("the cube", "hue"),
    resize("the cube looks larger by that part, and is held and weighs as before", "its side"),
    vanish("the cube"),
    duplicate("cube that does as the first one does, so far from it", "metre", WAYS, 0.1),
    pass_through(
        f"{SHARE} of its height",
        (0.1, 0.25, 0.5, 0.75, 1.0),
        "a cube that lies on the table is sunk into it by that part",
    ),
    for_steps(
        "freeze_block",
        "for so many steps nothing moves the cube, be it in the air; strikes where the gripper is near",
    ),
    reverse(),
    ignore_action(),
)


def moved_along(place_3: Floats, metres: float, rng: np.random.Generator) -> Floats:
    """Returns the cube's place (3,) so far away over the table at the same height."""
    there_2 = teleported(place_3[:2], metres, rng, _is_over_table)
    return np.array([*there_2, place_3[2]], dtype=np.float32)


def beside(offset_3: Floats, place: Place) -> Place:
    """Returns where a copy of the cube is."""
    return place[0] + offset_3, place[1]


def _is_over_table(place_M2: Floats) -> NDArray[np.bool_]:
    return np.asarray(((place_M2 >= TABLE[0]) & (place_M2 <= TABLE[1])).all(axis=1))
