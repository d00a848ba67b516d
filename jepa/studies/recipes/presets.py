"""The grids: the reference, and every level of every factor alone, with some seeds."""

from collections.abc import Iterable, Sequence
from typing import Any

from jepa.studies.grid import Block
from jepa.studies.recipes.cell import REFERENCE
from jepa.studies.recipes.factors import FACTORS

WORLDS_SWEPT = ("pusht", "reacher", "cube")


def around(base: Block, seeds: Sequence[int], changes: dict[str, dict[str, Any]]) -> list[Block]:
    """Returns a block for the reference and one for each change to it, in one factor at a time.

    Args:
        base: fields of all cells, where they are not a cell's defaults.
        seeds: of each recipe.
        changes: fields by experiment.
    """
    blocks: dict[str, dict[str, Any]] = {REFERENCE: {}, **changes}
    return [{"experiment": name, **base, **fields, "seed": list(seeds)} for name, fields in blocks.items()]


LEVELS: dict[str, dict[str, Any]] = {name: dict(fields) for one in FACTORS for name, fields in one.levels.items()}

TINY: dict[str, Any] = {
    **{"world": "two_room", "size": "tiny", "channels": "16-32", "latent_size": 16},
    **{"batch_size": 48, "learning_rate": 2e-3, "budget": "steps", "amount": 150.0},
}
TINY_LEVELS = ("joint_head_inverse", "open_loop_3", "sigreg_constant", "regressed_usual", "policies_main")
HOUR_LEVELS = (
    *("joint_head_inverse", "recipe_small", "open_loop_3", "sigreg_constant", "sigreg_high"),
    *("latent_128", "policies_main", "regressed_usual", "batch_64"),
)
"""What may matter most: with twice as many, an hour leaves each recipe too little to reach a goal."""


def _levels(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    return {name: LEVELS[name] for name in names}


def _for_seconds(seconds: float, **fields: Any) -> dict[str, Any]:
    return {"budget": "seconds", "amount": seconds, **fields}


PRESETS: dict[str, list[Block]] = {
    "tiny": around(TINY, range(2), _levels(TINY_LEVELS) | {"latent_8": {"latent_size": 8}}),
    "hour": around(_for_seconds(180.0), range(3), _levels(HOUR_LEVELS)),
    "night": around(_for_seconds(600.0), range(3), LEVELS | {"twice_the_budget": {"amount": 1200.0}}),
    "paper": around(
        _for_seconds(1200.0, world=list(WORLDS_SWEPT)), range(5), LEVELS | {"twice_the_budget": {"amount": 2400.0}}
    ),
}
"""`tiny` takes seconds a cell on any world; on Push-T and two cores `hour` about an hour, `night` six; `paper` is for a
cluster."""
