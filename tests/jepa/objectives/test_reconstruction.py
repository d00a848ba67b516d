"""The reconstruction objective: the error of drawn pictures."""

import torch
from torch import nn

from jepa.objectives import make_objective
from tests.jepa.models.test_world_model import make_model, shake
from tests.jepa.training.toy import toy_clips
from tests.narrow import submodule


def test_reconstruction_is_the_error_of_the_drawn_pictures() -> None:
    model = shake(make_model(2)).train()
    objective = make_objective("reconstruction", model, {"doublings": 2, "channels": 4, "present_weight": 2.0})
    for parameter in submodule(objective, "decoder.layers", nn.Sequential)[-1].parameters():
        parameter.data.zero_()
    clips = toy_clips(8)
    terms = objective(clips, 0, 10)
    # A decoder that draws mid-grey: the error is the mean square of the frames, averaged down from 32 to 16 pixels.
    frames = clips.pixels_BTHWC.float().div(127.5).sub(1)
    small = frames.unflatten(3, (16, 2)).unflatten(2, (16, 2)).mean((3, 5))
    assert torch.allclose(terms["present"], small.square().mean(), rtol=1e-4)
    assert torch.allclose(terms["prediction"], small[:, 1:].square().mean(), rtol=1e-4)
    assert torch.allclose(terms["loss"], terms["prediction"] + 2 * terms["present"])
