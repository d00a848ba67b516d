"""The auxiliary objective: what it regresses, and what it says where the quantity is not there."""

import pytest
import torch

from jepa.core.clips import Clips
from jepa.core.errors import InputError
from jepa.objectives import make_objective
from tests.jepa.models.test_world_model import draws, make_model
from tests.jepa.objectives.latents import with_latents
from tests.jepa.training.toy import toy_clips

PLACE = {"quantity": "place", "quantity_scale": 32.0}


def test_auxiliary_regresses_the_named_quantity_without_stopping_gradients() -> None:
    z_BTD = draws(8, 4, 6).requires_grad_()
    objective = make_objective("auxiliary", with_latents(make_model(1), z_BTD), {**PLACE, "weight": 3.0})
    for parameter in objective.get_submodule("head").parameters():
        parameter.data.zero_()
    clips = toy_clips(8)
    terms = objective(clips, 0, 10)
    assert torch.allclose(terms["regression"], (clips.state["place"] / 32).square().mean())
    # The untrained predictor says that nothing changes.
    prediction = z_BTD.diff(dim=1).square().mean()
    assert torch.allclose(terms["loss"], prediction + 3 * terms["regression"])
    gradients = [torch.autograd.grad(loss, z_BTD, retain_graph=True)[0] for loss in (terms["loss"], prediction)]
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)
    with pytest.raises(InputError, match=r"quantity: 'place' is not in the dataset; choose one of: door"):
        objective(Clips(clips.pixels_BTHWC, clips.action_BTKA, {"door": torch.zeros(8, 4, 1)}), 0, 10)
    with pytest.raises(InputError, match=r"quantity_size: 'place' has 1 values, got 2"):
        objective(Clips(clips.pixels_BTHWC, clips.action_BTKA, {"place": torch.zeros(8, 4, 1)}), 0, 10)
