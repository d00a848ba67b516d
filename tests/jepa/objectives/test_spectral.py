"""The spectral objective: its two terms, its expectation, its precision."""

import pytest
import torch

from jepa.objectives.spectral import spectral_terms
from tests.jepa.models.test_world_model import draws


def test_spectral_contrasts_with_all_other_clips() -> None:
    predicted, successor = draws(3, 5, 4), draws(3, 5, 4, seed=2)
    attraction, repulsion = spectral_terms(predicted, successor)
    scores_TNN = predicted @ successor.mT
    others = ~torch.eye(5, dtype=torch.bool)
    assert torch.allclose(attraction, scores_TNN.diagonal(dim1=1, dim2=2).mean())
    assert torch.allclose(repulsion, scores_TNN[:, others].square().mean(), rtol=1e-4)
    with pytest.raises(ValueError, match="at least 2 clips"):
        spectral_terms(predicted[:, :1], successor[:, :1])


def test_spectral_s_expectation_is_the_distance_of_the_factorisation() -> None:
    # A chain of 6 states; M̄ = D^{-1/2} P(x, x⁺) D₊^{-1/2}, G and F weighted by the roots of the marginals.
    joint = torch.rand(6, 6, generator=torch.Generator().manual_seed(0))
    joint /= joint.sum()
    before, after = joint.sum(1), joint.sum(0)
    operator = joint / torch.outer(before, after).sqrt()
    g_6D, f_6D = 0.5 * draws(6, 2), 0.5 * draws(6, 2, seed=2)
    factored = (before.sqrt()[:, None] * g_6D) @ (after.sqrt()[:, None] * f_6D).T
    expected = (operator - factored).square().sum() - operator.square().sum()
    pairs = joint.flatten().multinomial(200_000, replacement=True, generator=torch.Generator().manual_seed(1))
    attraction, repulsion = spectral_terms(g_6D[pairs // 6][None], f_6D[pairs % 6][None])
    assert float(repulsion - 2 * attraction) == pytest.approx(float(expected), abs=5e-3)


def test_its_terms_stay_in_full_precision_under_autocast() -> None:
    predicted, successor = draws(4, 7, 3), draws(4, 7, 3, seed=2)
    expected = spectral_terms(predicted, successor)
    with torch.autocast("cpu", torch.bfloat16):
        found = spectral_terms(predicted, successor)
    assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))
