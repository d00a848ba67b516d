"""A disk that drifts through Two-Room's scene, through walls and behind the agent: seen, and of no consequence.

Shapes: N copies. Units: scene widths, and scene widths a step.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jepa.worlds.declarations import Quantity

Floats = NDArray[np.float32]

COLOUR = np.array([240, 170, 40], dtype=np.float32)
EDGE = np.float32(0.045)
"""How near the scene's borders the disk's centre turns back; its radius is the agent's."""
SPEED = np.float32(0.02)


class Distractor:
    """N disks that move straight on at one speed and are thrown back by the scene's borders."""

    quantity = Quantity("distractor", 4, "scene width", "x and y of the distractor, and what it moves in a step")

    def __init__(self, num_envs: int) -> None:
        self.motion_N4 = np.tile(np.array([0.5, 0.5, 0.0, 0.0], dtype=np.float32), (num_envs, 1))
        """x, y and the displacement of a step"""

    def begin(self, scenes: Sequence[np.random.Generator]) -> None:
        """Draws a place and a direction for each copy."""
        draws_N3 = np.stack([scene.random(3, dtype=np.float32) for scene in scenes])
        place_N2 = EDGE + draws_N3[:, :2] * (1 - 2 * EDGE)
        angle_N = 2 * np.pi * draws_N3[:, 2]
        step_N2 = SPEED * np.stack([np.cos(angle_N), np.sin(angle_N)], axis=1)
        self.motion_N4 = np.concatenate([place_N2, step_N2], axis=1).astype(np.float32)

    def advance(self) -> None:
        """Moves each disk on; one that would leave the scene moves back instead, in that direction."""
        place_N2, step_N2 = self.motion_N4[:, :2], self.motion_N4[:, 2:]
        ahead_N2 = place_N2 + step_N2
        step_N2 = np.where((ahead_N2 < EDGE) | (ahead_N2 > 1 - EDGE), -step_N2, step_N2)
        self.motion_N4 = np.concatenate([place_N2 + step_N2, step_N2], axis=1, dtype=np.float32)

    def disks(self) -> tuple[Floats, Floats]:
        """Returns the centres (N, 2) and the colours (N, 3)."""
        return self.motion_N4[:, :2], np.tile(COLOUR, (len(self.motion_N4), 1))
