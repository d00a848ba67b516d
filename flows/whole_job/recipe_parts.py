"""What `jepa run --recipe R` changes in a job: its training, and the data that this training needs."""

from typing import Any

from jepa.core.errors import InputError
from jepa.training.registry import RECIPES
from jepa.worlds import WORLDS

OF_THE_RECIPE = frozenset(
    (
        *("recipe", "objective", "objective_options", "model_options", "train_options"),
        *("steps", "batch_size", "learning_rate", "precision"),
    )
)
"""Fields of a pretraining that belong to the recipe of a preset and not to another one."""
PRESET_OF_FIXED_SIZE = "large"
"""Preset whose data a recipe takes that is made for an image size, where none is asked for."""
Parts = dict[str, dict[str, Any]]


def preset_for(recipe: str, world: str) -> str:
    """Returns the preset whose data a recipe takes where none is asked for.

    Raises:
        InputError: the recipe or the world is not known.
    """
    return PRESET_OF_FIXED_SIZE if fixed_image_size(recipe) else WORLDS.get(world).world_spec.preset


def fixed_image_size(recipe: str) -> int | None:
    """Returns the image size that a recipe names, and is made for; None where it takes the world's.

    Raises:
        InputError: the recipe is not known.
    """
    model = RECIPES.get(recipe).model
    return model.image_size if "image_size" in model.model_fields_set else None


def with_recipe(parts: Parts, recipe: str, asked: Parts) -> Parts:
    """Returns the parts of a preset with another recipe, and with frames of the size and at the steps that it reads.

    Args:
        parts: of the preset.
        recipe: registered name.
        asked: what the user says of each part, which goes over what is returned.

    Raises:
        InputError: the recipe is not known, or `pretrain.recipe` names another one.
    """
    named = asked.get("pretrain", {}).get("recipe", recipe)
    if named != recipe:
        raise InputError(f"recipe is {recipe!r} and pretrain.recipe {named!r}; give one of them")
    kept = {field: value for field, value in parts["pretrain"].items() if field not in OF_THE_RECIPE}
    changed = parts | {"pretrain": kept | {"recipe": recipe}}
    size = fixed_image_size(recipe)
    if size is None:
        return changed
    model_options = asked.get("pretrain", {}).get("model_options") or {}
    given = "image_size" in (asked.get("collect", {}).get("world_options") or {})
    collect = {
        "image_size": None if given else size,
        "frame_every": model_options.get("frameskip", RECIPES.get(recipe).model.frameskip),
    }
    return changed | {"collect": parts["collect"] | collect}
