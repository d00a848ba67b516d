"""A world, a policy and an objective of somebody else, as one file outside the tree."""

from pathlib import Path

SOURCE = '''
"""Additions of somebody who uses the foundry."""

from dataclasses import replace

import numpy as np

from jepa.objectives.objective import OBJECTIVES
from jepa.objectives.reconstruction import Reconstruction
from jepa.worlds.policies import POLICIES, Policy
from jepa.worlds.two_room.world import TwoRoom
from jepa.worlds.registry import WORLDS


@WORLDS.register("mirrored_room")
class MirroredRoom(TwoRoom):
    """Two-Room, seen in a mirror."""

    world_spec = replace(TwoRoom.world_spec, name="mirrored_room", policy={"mirrored_room/drift": 1.0})

    def render_pixels(self):
        return super().render_pixels()[:, :, ::-1].copy()


@POLICIES.register("mirrored_room/drift")
class Drift(Policy):
    """Always moves to the right."""

    def begin(self, world, seeds):
        self._action = np.tile(np.array([0.5, 0.25], np.float32), (len(seeds), 1))

    def act(self, world):
        return self._action


@OBJECTIVES.register("halved")
class Halved(Reconstruction):
    """Half of the reconstruction's loss."""

    def forward(self, clips, step, total_steps, diagnostics=True):
        terms = super().forward(clips, step, total_steps, diagnostics)
        return terms | {"loss": terms["loss"] / 2}
'''


def write_plugin(folder: Path, name: str = "additions_of_mine") -> str:
    """Writes the module and returns its name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(SOURCE)
    return name
