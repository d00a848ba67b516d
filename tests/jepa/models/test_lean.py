"""The lean predictor: its parts, how it starts, and what a history of one frame leaves out."""

import torch
from torch import nn

from jepa.models.layers.heads import Projector
from jepa.models.predictors.lean import LeanConfig, LeanPredictor
from tests.jepa.models.test_world_model import draws
from tests.narrow import submodule

SIZES = {"width": 12, "depth": 2, "heads": 2, "head_size": 4, "mlp_size": 16}


def test_untrained_it_says_that_nothing_changes() -> None:
    predictor = LeanPredictor(LeanConfig.model_validate(SIZES), latent_size=6, history=3)
    z, a = draws(2, 3, 6), draws(2, 3, 12, seed=2)
    assert torch.equal(predictor(z, a), z)


def test_one_frame_has_nothing_to_attend_to() -> None:
    short, long = (LeanPredictor(LeanConfig.model_validate(SIZES), 6, history) for history in (1, 2))
    assert all(block.attention is None for block in short.blocks)
    assert all(block.attention is not None for block in long.blocks)
    of_short, of_long = (submodule(one, "blocks.0.modulation.1", nn.Linear).out_features for one in (short, long))
    assert of_short == 3 * 12 and of_long == 6 * 12


def test_it_takes_actions_in_its_own_width_and_may_end_in_a_projector() -> None:
    config = LeanConfig.model_validate(SIZES | {"output": "projector", "projector_size": 20})
    assert LeanPredictor.action_width(config, latent_size=6) == 12
    predictor = LeanPredictor(config, 6, 2)
    assert predictor.change is None and isinstance(predictor.projector, Projector)
    assert predictor.projector.hidden.out_features == 20
    assert predictor(draws(4, 2, 6), draws(4, 2, 12, seed=2)).shape == (4, 2, 6)
