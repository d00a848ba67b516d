"""A training in memory learns, is a function of its seed, and can be cut to a time."""

import torch

from jepa.models.world_model import ModelConfig, WorldModel
from jepa.studies.in_memory import Collection, collected, new_model, steps_within, train
from jepa.training.recipes import RECIPES, Recipe

SOURCE = Collection(train=8, validation=0, test=1, steps=30, image_size=32)


def recipe(steps: int, seed: int = 0) -> Recipe:
    held = RECIPES.get("smoke").model_dump()
    held["train"] |= {"steps": steps, "seed": seed, "batch_size": 16, "log_every": 1}
    return Recipe.model_validate(held)


def weights(model: WorldModel) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def test_a_training_lowers_its_loss_and_its_seed_decides_every_weight() -> None:
    source = collected(SOURCE)
    first, last = train(recipe(1), source), train(recipe(40), source)
    assert last.figures["loss"] < 0.7 * first.figures["loss"]
    assert last.steps == 40 and last.seconds > 0 and not last.model.training
    again, other = train(recipe(40), source), train(recipe(40, seed=1), source)
    assert torch.equal(weights(last.model), weights(again.model))
    assert not torch.equal(weights(last.model), weights(other.model))


def test_a_model_has_the_sources_sizes_and_action_statistics() -> None:
    source = collected(SOURCE)
    model = new_model(ModelConfig(image_size=64), source, 0)
    assert (model.config.image_size, model.config.action_size) == (32, 2)
    assert torch.allclose(model.action_mean.double(), torch.from_numpy(source.action_statistics[0]))
    assert (model.action_std > 0.1).all()


def test_more_seconds_are_more_steps() -> None:
    source = collected(SOURCE)
    few, many = steps_within(0.01, recipe(1), source), steps_within(60.0, recipe(1), source)
    assert 1 <= few < many
