"""Baselines: principal components of pixels, and an encoder with initial weights."""

import numpy as np
import pytest
import torch

from jepa.evaluation.kinds.probing.baselines import PrincipalComponents, shrunken, untrained_like
from jepa.models.world_model import ModelConfig, WorldModel

TINY = ModelConfig(latent_size=4, encoder_options={"channels": (8, 8, 8)})


@pytest.mark.parametrize(("side", "left"), [(16, 16), (64, 32), (65, 21), (224, 32)])
def test_frames_are_averaged_over_squares(side: int, left: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    small = shrunken(pixels).reshape(3, left, left, 3)
    step = side // left
    expected = pixels[:, : left * step, : left * step].reshape(3, left, step, left, step, 3).mean((2, 4)) / 255
    np.testing.assert_allclose(small, expected, atol=1e-6)


def test_components_are_those_of_the_singular_value_decomposition() -> None:
    x = np.random.default_rng(1).standard_normal((50, 20)).astype(np.float32) * np.linspace(1, 4, 20, dtype=np.float32)
    pca = PrincipalComponents.of(x, count=3, frames=50, seed=0)
    _, _, right = np.linalg.svd(x - x.mean(0), full_matrices=False)
    np.testing.assert_allclose(np.abs(pca.components_PC.T @ right[:3].T), np.eye(3), atol=1e-3)
    np.testing.assert_allclose(np.abs(pca(x)), np.abs((x - x.mean(0)) @ right[:3].T), atol=1e-2)


def test_fewer_frames_than_dimensions_have_fewer_components() -> None:
    x = np.random.default_rng(2).random((6, 30)).astype(np.float32)
    assert PrincipalComponents.of(x, count=32, frames=1000, seed=0).components_PC.shape == (30, 5)
    still = PrincipalComponents.of(np.ones((6, 30), np.float32), count=32, frames=1000, seed=0)
    assert not still(x).any() and still(x).shape == (6, 1)


def test_an_untrained_model_has_the_same_shape_and_weights_of_its_seed_alone() -> None:
    model = WorldModel.from_config(TINY, seed=5)
    fresh, again, other = (untrained_like(model, seed).state_dict() for seed in (0, 0, 1))
    assert {name: value.shape for name, value in fresh.items()} == {n: v.shape for n, v in model.state_dict().items()}
    name = next(name for name, value in fresh.items() if name.startswith("encoder") and value.std() > 0)
    assert torch.equal(fresh[name], again[name])
    assert not torch.equal(fresh[name], other[name]) and not torch.equal(fresh[name], model.state_dict()[name])
