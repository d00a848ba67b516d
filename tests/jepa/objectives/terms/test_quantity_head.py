"""The auxiliary head of LeWM: what it adds to the loss, and that without it nothing changes."""

import pytest
import torch

from jepa.core.clips import Clips
from jepa.core.errors import InputError
from jepa.objectives import make_objective
from tests.jepa.models.test_world_model import draws, make_model
from tests.jepa.objectives.latents import with_latents
from tests.jepa.training.toy import toy_clips

HEAD = {"quantity": "place", "quantity_size": 2, "quantity_scale": 32.0, "weight": 3.0}


def test_lewm_with_a_head_adds_the_weighted_regression() -> None:
    z_BTD = draws(8, 4, 6).requires_grad_()
    plain = make_objective("lewm", with_latents(make_model(1), z_BTD))
    headed = make_objective("lewm", with_latents(make_model(1), z_BTD), {"head": HEAD})
    for parameter in headed.get_submodule("head").parameters():
        parameter.data.zero_()
    clips = toy_clips(8)
    before, after = plain(clips, 0, 10), headed(clips, 0, 10)
    regression = (clips.state["place"] / 32).square().mean()
    assert torch.allclose(after["regression"], regression)
    assert torch.allclose(after["loss"], before["loss"] + 3 * regression) and "regression" not in before
    assert torch.equal(after["sigreg"], before["sigreg"]) and torch.equal(after["prediction"], before["prediction"])


def test_a_quantity_that_is_not_there_is_named_with_its_field() -> None:
    headed = make_objective("lewm", make_model(1), {"head": {**HEAD, "quantity": "speed"}})
    clips = toy_clips(8)
    with pytest.raises(InputError, match=r"objective_options\.head\.quantity: 'speed' is not in the dataset; choose"):
        headed(clips, 0, 10)
    with pytest.raises(InputError, match=r"objective_options\.head\.quantity_size: 'speed' has 1 values, got 2"):
        headed(Clips(clips.pixels_BTHWC, clips.action_BTKA, {"speed": torch.zeros(8, 4, 1)}), 0, 10)
