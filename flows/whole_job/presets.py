"""Named sizes of the whole job, for `jepa run --world W --preset P`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry
from jepa.worlds import WORLDS

LONGEST_NAME = 100
Parts = Mapping[str, Mapping[str, Any]]
"""Fields by part of `WorldModelConfig`: `collect`, `pretrain`, `evaluate`."""


@dataclass(frozen=True)
class Preset:
    """What each part of `WorldModelConfig` gets; fields that are left out keep their defaults."""

    parts: Parts
    worlds: Mapping[str, Parts] = field(default_factory=dict)
    """fields that differ from those in one world"""

    def of(self, world: str) -> dict[str, dict[str, Any]]:
        """Returns the fields of each part for a world."""
        own = self.worlds.get(world, {})
        return {part: {**fields, **own.get(part, {})} for part, fields in self.parts.items()}


PRESETS: Registry[Preset] = Registry("preset")

PRESETS.register("demo")(
    Preset(
        {
            "collect": {"episodes": 1000, "steps": 64, "image_size": 64, "episodes_per_shard": 50, "actors": 2},
            "pretrain": {"recipe": "tiny"},
            "evaluate": {"workers": 2},
        }
    )
)

# Push-T's physics and an encoder on 2 cores: the whole job stays within 15 minutes.
PRESETS.register("tiny")(
    Preset(
        {
            "collect": {"episodes": 400, "steps": 100, "image_size": 64, "actors": 2},
            "pretrain": {"recipe": "tiny"},
            "evaluate": {"protocol": "pusht-tiny-v2", "workers": 2},
        }
    )
)

# What two cores learn in an hour, data and judgement included (docs/worlds). Frames are drawn of every fifth step: a
# model with frameskip 5 sees no others.
PRESETS.register("small")(
    Preset(
        {
            "collect": {
                "episodes": 2500,
                "steps": 100,
                "image_size": 64,
                "frame_every": 5,
                "episodes_per_shard": 50,
                "actors": 2,
            },
            "pretrain": {"recipe": "small"},
            "evaluate": {"workers": 2},
        },
        worlds={
            "pusht": {"evaluate": {"protocol": "pusht-small-v2"}},
            "reacher": {"evaluate": {"protocol": "reacher-small-v1"}},
            "cube": {
                "collect": {"episodes": 1500, "world_options": {"shadows": 512, "mesh_cell": 0.005}},
                # Two workers that judge Cube take over 8 GB.
                "evaluate": {"protocol": "cube-small-v1", "workers": 1},
            },
        },
    )
)

# The same for one GPU: more episodes, larger frames, a vision transformer. It was never trained to its end, for no GPU
# was at hand.
PRESETS.register("large")(
    Preset(
        {
            "collect": {
                "episodes": 10_000,
                "steps": 100,
                "image_size": 96,
                "frame_every": 5,
                "episodes_per_shard": 50,
                "actors": 4,
            },
            "pretrain": {"recipe": "large", "workers": 1},
            "evaluate": {"workers": 2},
        },
        worlds={
            "pusht": {"evaluate": {"protocol": "pusht-small-v2"}},
            "reacher": {"evaluate": {"protocol": "reacher-small-v1"}},
            "cube": {
                "collect": {"world_options": {"shadows": 1024, "mesh_cell": 0.002}},
                "evaluate": {"protocol": "cube-small-v1"},
            },
        },
    )
)

# As small as a job can be and still pass through every part, for any world.
PRESETS.register("smoke")(
    Preset(
        {
            "collect": {
                "episodes": 40,
                "steps": 40,
                "image_size": 32,
                "episodes_per_shard": 8,
                "test_share": 0.2,
                "actors": 2,
            },
            "pretrain": {"recipe": "smoke"},
            "evaluate": {"protocol": "tiny-v1", "workers": 2},
        }
    )
)


def default_name(world: str, preset: str, seed: int) -> str:
    """Returns the name of a job's dataset, model and run: world, preset and seed, in what a folder may be called."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", world).strip("-._") or "world"
    return f"{plain[: LONGEST_NAME - len(preset) - 24]}-{preset}-s{seed}"


def preset_parts(world: str, preset: str | None, seed: int = 0, name: str | None = None) -> dict[str, dict[str, Any]]:
    """Returns the parts of a preset for a world, with names and seeds filled in.

    Args:
        world: registered name of the world.
        preset: registered name; by default that which the world declares.
        seed: of the dataset, the training and the evaluation alike.
        name: of dataset, model and run; by default world, preset and seed, so that different jobs never share one.

    Raises:
        InputError: the world or the preset is not known.
    """
    preset = preset or WORLDS.get(world).world_spec.preset
    if not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed is {seed!r}; give a whole number from 0 on")
    parts = PRESETS.get(preset).of(world)
    parts["collect"] |= {"world": world, "seed": seed, "name": name or default_name(world, preset, seed)}
    parts["pretrain"] |= {"seed": seed}
    parts["evaluate"] |= {"seed": seed}
    return parts
