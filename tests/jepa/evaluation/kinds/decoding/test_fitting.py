"""Fitting a decoder to frozen latents: its side, its draw, and that the model learns nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from jepa.core.errors import InputError
from jepa.evaluation.kinds.decoding.fitting import DecoderFitConfig, fit_decoder, shrunk
from jepa.models.decoder import PatchDecoderConfig
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

SMALL = DecoderFitConfig(
    side=16, decoder=PatchDecoderConfig(patches=2, tokens=2, width=16), train_frames=80, steps=60, learning_rate=3e-3
)
MODEL: Any = CentroidModel()


def test_a_side_is_the_largest_multiple_of_the_patches_that_fits() -> None:
    config = DecoderFitConfig(side=30, decoder=PatchDecoderConfig(patches=4))
    assert [config.side_of(size) for size in (64, 30, 23, 4)] == [28, 28, 20, 4]


def test_it_draws_better_than_the_mean_frame(source: MemorySource) -> None:
    larger = {"decoder": PatchDecoderConfig(patches=2, tokens=4, width=32), "train_frames": 1000, "steps": 250}
    fitted = fit_decoder(MODEL, source, SMALL.model_copy(update=larger), seed=1)
    pixels = np.concatenate([episode.pixels[::8] for episode in source.episodes("train")])
    picture, true = fitted.draw(encode_pixels(MODEL, pixels)), shrunk(pixels, 16)
    assert picture.shape == true.shape == (len(pixels), 3, 16, 16) and fitted.mean.shape == (3, 16, 16)
    assert (picture - true).square().mean() < 0.9 * (fitted.mean - true).square().mean()


def test_a_seed_gives_the_same_decoder_and_leaves_other_draws_and_the_model_alone(
    source: MemorySource, model: WorldModel
) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again = (fit_decoder(model, source, SMALL.model_copy(update={"steps": 3}), seed=2) for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    z = np.zeros((2, 8), dtype=np.float32)
    assert torch.equal(first.draw(z), again.draw(z))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_training_episodes_are_needed() -> None:
    with pytest.raises(InputError, match="no 'train' episodes"):
        fit_decoder(MODEL, MemorySource({"test": 1}, steps=5), SMALL)
