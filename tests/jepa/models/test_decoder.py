"""Decoders: frames to pictures and back, sizes, and what an untrained one draws."""

import pytest
import torch
from torch import nn

from jepa.models.decoder import ConvDecoder, PatchDecoder, PatchDecoderConfig, frames, pictures
from tests.jepa.models.test_world_model import draws
from tests.narrow import submodule


def test_frames_turn_into_pictures_and_back() -> None:
    pixels = torch.randint(0, 256, (3, 8, 8, 3), dtype=torch.uint8)
    assert torch.equal(frames(pictures(pixels, 8)), pixels)
    small = pictures(pixels, 4)
    assert small.shape == (3, 3, 4, 4) and small.min() >= -1 and small.max() <= 1
    assert frames(torch.full((1, 3, 2, 2), 1.7)).unique().tolist() == [255]


def test_convolutions_double_a_grid_of_four() -> None:
    decoder = ConvDecoder(latent_size=6, doublings=2, channels=8)
    assert decoder.side == 16 and decoder(draws(5, 6)).shape == (5, 3, 16, 16)


def test_patches_start_as_the_mean_picture_and_each_is_drawn_in_its_place() -> None:
    mean = draws(3, 12, 12)
    decoder = PatchDecoder(6, mean, PatchDecoderConfig(patches=3, tokens=2, width=16, heads=2, depth=1))
    assert torch.equal(decoder(draws(4, 6)), mean.expand(4, -1, -1, -1))
    with torch.no_grad():
        weight = submodule(decoder, "out.1", nn.Linear).weight
        weight.add_(0.1 * draws(*weight.shape, seed=3))
    difference = decoder(draws(1, 6)) - mean
    tiles = difference[0].unflatten(1, (3, 4)).unflatten(3, (3, 4)).permute(1, 3, 0, 2, 4).flatten(0, 1).flatten(1)
    assert torch.pdist(tiles).min() > 1e-3, "nine queries draw nine different patches"


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="width 10 is not a multiple of heads 4"):
        PatchDecoderConfig(width=10)
