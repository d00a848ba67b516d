"""Recipes: they are found by name, take a world's sizes, and refuse what their objective does not know."""

import pytest
import torch

from jepa.models.world_model import WorldModel
from jepa.objectives import make_objective
from jepa.training.recipes import RECIPES, Recipe


def test_recipes_take_a_worlds_sizes() -> None:
    assert {"lewm", "lewm-small", "lewm-tiny", "smoke", "tiny"} <= set(RECIPES)
    recipe = RECIPES.get("smoke").for_world(image_size=32, action_size=7)
    assert (recipe.model.image_size, recipe.model.action_size) == (32, 7)
    assert recipe.model.latent_size == RECIPES.get("smoke").model.latent_size
    assert recipe.objective_options["hold"] == 0.2
    with pytest.raises(ValueError, match=r"objective_options.teacher: .*got 1"):
        Recipe(objective_options={"teacher": 1})


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_makes_a_model_and_an_objective(name: str) -> None:
    recipe = RECIPES.get(name)
    with torch.device("meta"):
        objective = make_objective(recipe.objective, WorldModel(recipe.model), recipe.objective_options)
    assert sum(weight.numel() for weight in objective.model.parameters()) > 10_000
    assert Recipe.model_validate(recipe.model_dump(mode="json")) == recipe
