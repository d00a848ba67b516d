"""The recipes by name; listing them imports no torch."""

from typing import TYPE_CHECKING

from jepa.core.registries.registry import Registry

if TYPE_CHECKING:
    from jepa.training.recipes import Recipe

RECIPES: "Registry[Recipe]" = Registry(
    "recipe",
    dict.fromkeys(
        ("dino-wm", "frozen-small", "large", "lewm", "lewm-small", "lewm-tiny", "small", "smoke", "tiny"),
        "jepa.training.recipes",
    ),
)
