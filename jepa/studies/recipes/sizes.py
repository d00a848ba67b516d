"""The sizes that the sweep runs at: frames, predictor, heads, data of each world, and how models are judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jepa.evaluation.protocol import Protocol

Size = Literal["tiny", "small"]

AHEAD = 25
"""Environment steps from the start of a planning problem to its goal."""


@dataclass(frozen=True)
class Data:
    """How much is collected of a world."""

    episodes: int
    """to train on"""
    steps: int
    """actions of an episode"""
    held_out: int
    """episodes of the validation and of the test split, each"""


@dataclass(frozen=True)
class Sizes:
    """What all recipes of a sweep have in common."""

    image_size: int
    projector_size: int
    predictor: Mapping[str, Any]
    directions: int
    """of SIGReg"""
    head: Mapping[str, Any]
    """options of the head `inverse` that is fitted for planning"""
    probing: Mapping[str, Any]
    planning: Mapping[str, Any]
    """settings but for planners"""
    cem: Mapping[str, Any]
    warm: Mapping[str, Any]
    data: Mapping[str, Data]
    """by world"""
    other_data: Data
    """of any other world"""

    def data_of(self, world: str) -> Data:
        """Returns how much is collected of a world."""
        return self.data.get(world, self.other_data)

    def protocol(self, frameskip: int) -> Protocol:
        """Returns how models of a frameskip are judged: by probes, and by planners whose goals are 25 steps ahead.

        `inverse`, and `warm`, a short search from what it would do, look after each action block, `cem` after 25 steps,
        rounded down to action blocks. The oracle repeats the recording with next to no search.
        """
        blocks, carried_out = -(-AHEAD // frameskip), max(1, AHEAD // frameskip)
        planners: dict[str, dict[str, Any]] = {
            "cem": {**self.cem, "horizon": blocks, "replan_every": carried_out * frameskip},
            "inverse": {"horizon": blocks, "replan_every": frameskip},
            "warm": {**WARM, **self.warm, "horizon": blocks, "replan_every": frameskip},
            "oracle": {"from_demonstration": True, "samples": 2, "elites": 2, "iterations": 1},
        }
        planning = {**self.planning, "planners": planners, "replan_every": carried_out * frameskip, "offsets": AHEAD}
        return Protocol.model_validate({"name": "recipes-v1", "probing": self.probing, "planning": planning})


WARM: dict[str, Any] = {"planner": "icem", "warm_start": "inverse", "init_std": 0.3}
UNUSED_PICTURES: dict[str, Any] = {
    "frames_shown": 0,
    "position_frames": 50,
    "position_probe": {"hidden": 8, "steps": 1},
}
"""Nothing of planning is drawn here."""
ONE_FRAME: dict[str, Any] = {"predictions": 1, "blocks_ahead": 0, "baseline_frames": 0}
"""Probes of single frames alone."""

SIZES: Mapping[Size, Sizes] = {
    "tiny": Sizes(
        image_size=32,
        projector_size=128,
        predictor={"width": 64, "depth": 2, "mlp_size": 128},
        directions=64,
        head={"width": 64, "depth": 2, "steps": 200, "batch_size": 256},
        probing=ONE_FRAME
        | {"train_frames": 800, "validation_frames": 200, "test_frames": 400}
        | {"probe": {"hidden": 32, "steps": 100, "check_every": 50}},
        planning=UNUSED_PICTURES | {"problems": 12},
        cem={"samples": 48, "elites": 6, "iterations": 3, "candidates_at_once": 1024, "precision": "fp32"},
        warm={"samples": 16, "elites": 4, "iterations": 2, "candidates_at_once": 1024, "precision": "fp32"},
        data={},
        other_data=Data(episodes=60, steps=48, held_out=12),
    ),
    "small": Sizes(
        image_size=64,
        projector_size=256,
        predictor={"width": 128, "depth": 2, "mlp_size": 256},
        directions=256,
        head={"steps": 1000, "batch_size": 512},
        probing=ONE_FRAME
        | {"train_frames": 6000, "validation_frames": 1000, "test_frames": 2000}
        | {"probe": {"hidden": 64, "steps": 400, "check_every": 100}},
        planning=UNUSED_PICTURES | {"problems": 50},
        cem={"samples": 128, "elites": 12, "iterations": 6, "candidates_at_once": 2048, "precision": "fp32"},
        warm={"samples": 64, "elites": 8, "iterations": 3, "candidates_at_once": 2048, "precision": "fp32"},
        data={"pusht": Data(1000, 100, 60), "reacher": Data(500, 100, 60), "cube": Data(120, 150, 25)},
        other_data=Data(episodes=1000, steps=64, held_out=60),
    ),
}
"""`small` is for frames of 64 pixels and minutes of one core a recipe, `tiny` shows that all runs."""
