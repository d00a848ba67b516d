"""The two sizes that the study runs at: model, training, data and protocol of each."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from jepa.evaluation.protocol import Protocol, get_protocol
from jepa.studies.in_memory.episodes import Collection
from jepa.training.recipes import RECIPES, Recipe
from jepa.worlds.registry import WORLDS

Size = Literal["small", "full"]

SMALL_PROTOCOL = Protocol.model_validate(
    {
        "name": "objectives-small-v1",
        "probing": {
            "train_frames": 3000,
            "validation_frames": 500,
            "test_frames": 1500,
            "predictions": 1,
            "blocks_ahead": 0,
            "baseline_frames": 0,
            "probe": {"hidden": 64, "steps": 400, "check_every": 50},
        },
        "planning": {
            "problems": 40,
            "planners": {
                "cem": {"samples": 64, "elites": 8, "iterations": 5, "candidates_at_once": 2048, "precision": "fp32"},
                "oracle": {"samples": 32, "elites": 4, "iterations": 4},
            },
            "frames_shown": 0,
            "position_frames": 50,
            "position_probe": {"hidden": 8, "steps": 1},
        },
        "surprise": {"episodes": 40, "batch": 40, "frames_shown": 0},
        "latent": {"episodes": 40, "resamples": 20},
    }
)
"""A small search, of 64 × 5 candidates a plan: figures compare within this study, not with those of `two-room-v1`."""

OPTIONS: dict[Size, dict[str, dict[str, Any]]] = {
    "small": {
        "lewm": {"reference_batch": 128, "sigreg": {"directions": 64}},
        "lejepa": {"sigreg": {"directions": 64}},
        "reconstruction": {"doublings": 2, "channels": 8},
    },
    "full": {"lewm": RECIPES.get("lewm-tiny").objective_options},
}
"""Options of objectives that are not left at their defaults."""


@dataclass(frozen=True)
class Setting:
    """What all arms of a comparison have in common."""

    recipe: Recipe
    """with the objective `lewm`, which each arm replaces"""
    collection: Collection
    protocol: Protocol


def setting(size: Size, world: str, episodes: int, data_seed: int, seed: int) -> Setting:
    """Returns a size's setting.

    Args:
        size: which.
        world: registered name.
        episodes: to train on.
        data_seed: of all episodes.
        seed: of the training.
    """
    fields = SMALL_FIELDS if size == "small" else RECIPES.get("lewm-tiny").model_dump()
    # An arm may collapse: that is a finding here, and no reason to stop.
    train = fields["train"] | {"seed": seed, "precision": "fp32", "collapse_std": 0.0}
    recipe = Recipe.model_validate({**fields, "train": train})
    if size == "small":
        held = Collection(validation=20, test=60, image_size=recipe.model.image_size)
    else:
        held = Collection(validation=60, test=200)
    collection = replace(held, world=world, train=episodes, seed=data_seed)
    protocol = SMALL_PROTOCOL if size == "small" else get_protocol(WORLDS.get(world).world_spec.protocol)
    return Setting(recipe, collection, protocol)


SMALL_FIELDS: dict[str, Any] = {
    "model": {
        "image_size": 32,
        "latent_size": 32,
        "encoder_options": {"channels": (16, 32)},
        "projector_size": 128,
        "predictor_options": {"width": 64, "depth": 2, "mlp_size": 128},
    },
    "train": {"steps": 500, "batch_size": 48, "horizon": 2, "learning_rate": 2e-3, "log_every": 50},
}
"""`lewm-tiny` cut down to frames of 32 pixels and some ten seconds on one core."""
