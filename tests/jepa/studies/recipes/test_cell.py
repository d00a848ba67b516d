"""A cell as recipe and data: what it spells out of its world, and what it refuses before any work."""

import math
from typing import Any

import pytest

from jepa.core.errors import InputError
from jepa.studies.grid import cells_of
from jepa.studies.recipes.cell import REFERENCE, RecipesCell
from jepa.studies.recipes.choice import FIELDS
from jepa.studies.recipes.factors import FACTORS
from jepa.studies.recipes.presets import PRESETS
from jepa.training.recipes import RECIPES

WORLDS = ("pusht", "reacher", "cube", "two_room")


def cell(**fields: Any) -> RecipesCell:
    (found,) = cells_of(RecipesCell, [{"experiment": REFERENCE, **fields}])
    return found


def test_what_follows_from_the_world_is_written_out() -> None:
    pusht, reacher = cell(regressed="usual"), cell(world="reacher", regressed="usual", policies="mixed")
    assert pusht.policies == "pusht/expert=0.6,pusht/near_block=0.2,pusht/pusher=0.2"
    assert reacher.policies == "random=0.65,reacher/controller=0.35"
    assert cell(policies="main").policies == "pusht/expert=1"
    assert cell(policies="pusht/pusher=1, random=3").policies == "pusht/pusher=0.25,random=0.75"
    assert (pusht.regressed, reacher.regressed, pusht.episodes) == ("block_heading", "joint_heading", 1000)
    assert cell(world="two_room", regressed="usual").regressed == "agent_position"
    dark = cell(world_options=" with_target=false, block_brightness=0.5 ")
    assert dark.world_options == "block_brightness=0.5,with_target=False"
    assert dark.collection().options == (("block_brightness", 0.5), ("with_target", False))
    assert (pusht.world_options, cell(world="cube", world_options="").world_options) == ("", "")
    assert dict(cell(world="cube").collection().options) == {"mesh_cell": 0.005, "shadows": 512}
    assert RecipesCell.model_validate(dark.model_dump()) == dark
    # What was spelled out is understood again, as a stored cell is.
    assert RecipesCell.model_validate(reacher.model_dump()) == reacher


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"world": "pushed"}, "world 'pushed' is not known"),
        ({"policies": "two_room/expert=1"}, "policy 'two_room/expert' does not act in world 'pusht'"),
        ({"policies": "best"}, "policies is 'best'; write one of own, main, mixed"),
        ({"policies": "random=0"}, "give no policy a share above 0"),
        ({"world_options": "block_colour=1"}, "world 'pusht' has no option 'block_colour'; it takes: image_size,"),
        ({"world": "cube", "world_options": "shadows=soft"}, "shadows is 'soft' and world 'cube' does not take that"),
        ({"regressed": "mood"}, "regressed is 'mood', which world 'pusht' does not record; choose usual or one of"),
        ({"open_loop_horizons": 4}, "open_loop_horizons is 4 and clips have 3 frames beyond the history"),
        ({"hold": 0.9}, "settle 0.8 comes before hold 0.9"),
        ({"joint_head": "probe"}, "head 'probe' learns from recorded states"),
        ({"channels": "32,64"}, "grid.0.channels"),
        ({"frameskip": 26}, "grid.0.frameskip"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        cell(**fields)
    assert sentence in str(refused.value) and "\n" not in str(refused.value)


def test_fields_reach_model_objective_training_and_data() -> None:
    chosen = cell(
        **{"channels": "8-16", "latent_size": 12, "history": 3, "frameskip": 10, "horizon": 4, "seed": 7},
        **{"sigreg_weight": 0.2, "open_loop_horizons": 2, "joint_head": "inverse", "joint_head_weight": 0.5},
        **{"regressed": "block_angle", "regressed_weight": 3.0, "batch_size": 64, "learning_rate": 3e-4},
    )
    recipe = chosen.recipe(steps=11, scale=2.0)
    model, options, train = recipe.model, recipe.objective_options, recipe.train
    assert model.encoder_options["channels"] == [8, 16] and (model.latent_size, model.history) == (12, 3)
    assert (options["sigreg_weight"], options["open_loop_horizons"], options["reference_batch"]) == (0.2, 2, 128)
    assert (options["joint_head"], options["joint_head_weight"]) == ("inverse", 0.5)
    head = options["head"]
    assert (head["quantity"], head["quantity_size"], head["quantity_scale"], head["weight"]) == ("block_angle", 1, 2, 3)
    assert (train.steps, train.batch_size, train.horizon, train.seed, train.learning_rate) == (11, 64, 4, 7, 3e-4)
    data = chosen.collection()
    assert data.frame_every == 5 and cell(frameskip=4).collection().frame_every == 1
    assert data.validation == data.test > 0 and math.isclose(sum(share for _, share in data.policies), 1)
    assert cell().privileged is False and chosen.privileged


def test_a_preset_holds_the_recipe_that_is_shipped() -> None:
    blocks = [block for block in PRESETS["hour"] if block["experiment"] == "recipe_small"]
    for one in cells_of(RecipesCell, blocks):
        ours, shipped = one.recipe(steps=5), RECIPES.get("small")
        model, train = shipped.model.model_dump(), shipped.train.model_dump()
        assert ours.model.model_dump() == model
        assert ours.objective_options == shipped.objective_options | {"reference_batch": 128}
        own = {"seed": one.seed, "steps": 5, "precision": "fp32", "log_every": 50, "collapse_std": 0.0}
        assert ours.train.model_dump() == train | own


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("world", WORLDS)
def test_each_experiment_is_the_reference_with_one_factor_changed(preset: str, world: str) -> None:
    cells = cells_of(RecipesCell, [{**block, "world": world} for block in PRESETS[preset]])
    (reference,) = {one.experiment: one for one in cells if one.experiment == REFERENCE}.values()
    seeds = {one.seed for one in cells if one.experiment == REFERENCE}
    own = {name: getattr(reference, name) for name in FIELDS}
    for experiment in {one.experiment for one in cells} - {REFERENCE}:
        mine = [one for one in cells if one.experiment == experiment]
        assert {one.seed for one in mine} == seeds
        changed = {name for one in mine for name in FIELDS if getattr(one, name) != own[name]}
        assert any(changed <= set(factor.fields) for factor in FACTORS), experiment
        # Where a world has one policy, the main one is all of its own.
        assert changed or (world, experiment) == ("cube", "policies_main")
