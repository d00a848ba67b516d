"""What can happen to the reacher's arm that its dynamics do not explain; there is nothing solid that it could cross."""

import math

import numpy as np

from jepa.worlds.adapters.mujoco_looks import Place
from jepa.worlds.perturbations import (
    SHARE,
    Perturbation,
    duplicate,
    for_steps,
    ignore_action,
    recolour,
    resize,
    reverse,
    teleport,
    vanish,
)

ANGLES = (0.05, 0.1, 0.2, 0.5, 1.0)

PERTURBATIONS = (
    teleport(
        "radian",
        ANGLES,
        1.0,
        "the shoulder is turned by so much; in full, another pose at rest whose shoulder is over 1 away",
    ),
    recolour("the arm", "hue"),
    resize("the arm looks thicker by that part, and weighs as before", "its thickness"),
    vanish("the arm"),
    duplicate(
        "arm that does as the first one does, turned from it by so much about the shoulder", "radian", ANGLES, 1.0
    ),
    for_steps("freeze", "for so many steps the joints are locked, from which the arm goes on at rest"),
    Perturbation(
        "reverse_velocity",
        "dynamics",
        physical=True,
        unit=f"{SHARE} of the velocity turned round",
        strengths=(0.1, 0.25, 0.5, 0.75, 1.0),
        strength=1.0,
        description="the joints' velocity v is (1 - 2 share) v: at a half the arm stops, in full it swings back",
        before_step=True,
    ),
    reverse(),
    ignore_action(),
)


def turned(angle: float, place: Place) -> Place:
    """Returns where a part of the arm is when the arm is turned about the shoulder, which is at the origin."""
    cosine, sine = math.cos(angle), math.sin(angle)
    turn_33 = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    position_3, rotation_33 = place
    return turn_33 @ position_3, turn_33 @ rotation_33


def way_round(rng: np.random.Generator) -> int:
    """Returns 1 or -1: the sense of a turn, the same whatever its angle."""
    return 1 if rng.random() < 0.5 else -1
