"""Where Push-T's agent and block are: read from the package's scene, and put there without a trace of the past."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

INSIDE = (8.0, 503.0)
"""The scene inside its walls, each coordinate."""


def read(scene: Any) -> list[float]:
    """Returns agent x y, block x y angle, agent velocity x y, block velocity x y and angular, rounded to float32."""
    agent, block = scene.agent, scene.block
    values = (
        *agent.position,
        *block.position,
        block.angle % (2 * math.pi),
        *agent.velocity,
        *block.velocity,
        block.angular_velocity,
    )
    rounded: list[float] = np.array(values, dtype=np.float32).tolist()
    return rounded


def place(scene: Any, body_10: Sequence[float]) -> None:
    """Puts agent and block where `read` found them, without a step and without a trace of the past.

    No state can bring back the impulses and corrections that the solver would start its next step with, so they are
    dropped: moving for no time uses up the corrections, and shapes that leave the space and come back have no contacts.
    """
    agent, block = scene.agent, scene.block
    block.update_position(block, 0.0)
    agent.position, agent.velocity = tuple(body_10[0:2]), tuple(body_10[5:7])
    # The block turns about its centre of gravity, so its origin is in place only when set after the angle.
    block.angle = body_10[4]
    block.position = tuple(body_10[2:4])
    block.velocity, block.angular_velocity = tuple(body_10[7:9]), body_10[9]
    moving = [*agent.shapes, *block.shapes]
    scene.space.remove(*moving)
    scene.space.add(*moving)
