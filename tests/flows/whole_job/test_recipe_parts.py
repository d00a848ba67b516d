"""A recipe of a job, and the data that it needs."""

from typing import Any

import pytest

from flows.cli.commands.context import Context
from flows.cli.commands.jobs.run import RunOptions, whole_config
from flows.cli.sources import Sources
from flows.whole_job.config import WorldModelConfig
from flows.whole_job.recipe_parts import fixed_image_size, with_recipe
from jepa.core.errors import InputError
from pipelines.collect import plan_dataset


def asked(**fields: Any) -> WorldModelConfig:
    """Returns the configuration of `jepa run` with these options."""
    return whole_config(RunOptions(**fields), Context("run", "runs/", False, Sources("run")))


def test_a_recipe_of_a_fixed_size_gets_its_frames_and_a_job_for_a_gpu() -> None:
    config = asked(world="pusht", recipe="lewm")
    assert (config.collect.image_size, config.collect.frame_every, config.pretrain.recipe) == (224, 5, "lewm")
    assert config.collect.episodes == asked(world="pusht", preset="large").collect.episodes == 10_000
    assert config.run == config.collect.name == "pusht-large-lewm-s0"
    assert asked(world="pusht", preset="small", recipe="lewm").run == "pusht-small-lewm-s0"


def test_what_the_user_says_goes_over_it() -> None:
    options = {"model_options": {"frameskip": 4}}
    config = asked(world="pusht", recipe="lewm", collect={"image_size": 112}, pretrain=options, name="mine")
    assert (config.collect.image_size, config.collect.frame_every, config.run) == (112, 4, "mine")
    assert asked(world="pusht", recipe="lewm", collect={"frame_every": 1}).collect.frame_every == 1
    own = asked(world="pusht", recipe="lewm", collect={"world_options": {"image_size": 112}}).collect
    assert plan_dataset(own).world_options["image_size"] == 112
    with pytest.raises(InputError, match=r"recipe is 'lewm' and pretrain.recipe 'smoke'; give one of them"):
        asked(world="pusht", recipe="lewm", pretrain={"recipe": "smoke"})


def test_a_recipe_that_takes_the_world_s_size_changes_the_training_alone() -> None:
    assert fixed_image_size("lewm-small") is None and fixed_image_size("dino-wm") == 224
    before, after = asked(world="cube", preset="small"), asked(world="cube", preset="small", recipe="lewm-small")
    assert after.collect == before.collect.model_copy(update={"name": "cube-small-lewm-small-s0"})
    assert after.pretrain.recipe == "lewm-small" and asked(recipe="smoke").run == "two_room-demo-smoke-s0"


def test_fields_of_the_preset_s_own_recipe_are_dropped_and_its_machinery_stays() -> None:
    pretrain = {"recipe": "small", "steps": 7, "objective_options": {"hold": 0.5}, "workers": 1, "seed": 3}
    parts = with_recipe({"collect": {}, "pretrain": pretrain, "evaluate": {}}, "lewm-small", {})
    assert parts["pretrain"] == {"recipe": "lewm-small", "workers": 1, "seed": 3}
