"""What a training may be asked for: defaults that depend on one another, and names with versions."""

import pytest

from flows.whole_job.config import WorldModelConfig
from flows.whole_job.presets import PRESETS, preset_parts
from jepa.training.recipes import RECIPES
from pipelines.pretrain import PretrainConfig


def config(**fields: object) -> PretrainConfig:
    return PretrainConfig.model_validate({"dataset": "d0", "name": "m0", **fields})


def test_this_process_alone_is_one_worker() -> None:
    assert config(executor="local").workers == 1 and config().workers == config(executor="ray").workers == 2
    assert PretrainConfig(dataset="d0", name="m0", executor="local", steps=5).workers == 1
    assert config(executor="local", workers=None).workers == 1
    assert config(executor="local", workers=3).workers == 3  # refused when the training is planned
    assert PretrainConfig.model_validate(config(executor="local").model_dump()) == config(executor="local")


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_runs_in_this_process_too(preset: str) -> None:
    parts = preset_parts("two_room", preset)
    parts["pretrain"]["executor"] = "local"
    assert WorldModelConfig.model_validate(parts).pretrain.workers == 1


def test_the_number_of_steps_is_given_or_the_recipe_s() -> None:
    assert config(steps=7).total_steps == 7
    assert config(recipe="smoke").total_steps == RECIPES.get("smoke").train.steps == 40


def test_the_request_holds_what_decides_on_what_is_learned() -> None:
    request = config(dataset="d0@2", init_from="m1").same_training()
    assert (request["dataset"], request["init_from"], request["seed"]) == ("d0@2", "m1", 0)
    assert not {"workers", "executor", "device", "trackers", "compute", "keep_checkpoints"} & request.keys()
