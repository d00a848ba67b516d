"""Canonical correlations of sequences whose spectrum is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.evaluation.kinds.spectrum.canonical import Whitening, correlations, fit_canonical, tails
from tests.jepa.evaluation.kinds.identifiability.test_premises import RHO, linear_world

Floats = NDArray[np.float64]


def test_a_linear_world_has_its_rates_as_singular_values_whatever_the_basis() -> None:
    """Latents are a mixture of the state: no rotation, and beside it a direction that nothing predicts."""
    rng = np.random.default_rng(7)
    mixture = np.array([[2.0, 0.3, 0.0], [0.5, 0.1, 0.0], [0.0, 0.0, 1.0]])

    def pairs(seed_episodes: slice) -> tuple[Floats, Floats]:
        world = linear_world(1200)[seed_episodes]
        latents = [np.column_stack([z, rng.standard_normal(len(z))]) @ mixture + 5 for z in world]
        return np.concatenate([h[:-1] for h in latents]), np.concatenate([h[1:] for h in latents])

    fitted = fit_canonical(*pairs(slice(600)), ridge=0.0, cut=1e-9)
    assert fitted is not None
    found = correlations(*fitted.variates(*pairs(slice(600, None))))
    assert found[:2] == pytest.approx(RHO, abs=0.02) and found[2] < 0.05


def test_pairs_learned_by_heart_do_not_count() -> None:
    """Forty directions of pure noise are correlated on the few pairs that they were fitted to, and on no others."""
    rng = np.random.default_rng(8)
    x_NX, next_ND, other_NX, other_ND = rng.standard_normal((4, 60, 40))
    fitted = fit_canonical(x_NX, next_ND, ridge=0.0, cut=1e-9)
    assert fitted is not None
    assert correlations(*fitted.variates(x_NX, next_ND)).max() > 0.9
    held_out = correlations(*fitted.variates(other_NX, other_ND))
    assert held_out.mean() < 0.2 and held_out.min() >= 0


def test_directions_that_do_not_vary_are_left_out() -> None:
    rng = np.random.default_rng(9)
    rows = np.column_stack([rng.standard_normal(200), np.zeros(200), 1e-6 * rng.standard_normal(200)])
    whitening = Whitening.of(rows, ridge=0.0, cut=1e-4)
    assert whitening.weight_Xk.shape == (3, 1)
    assert whitening(rows).var() == pytest.approx(1)
    assert fit_canonical(np.zeros((10, 2)), np.zeros((10, 2)), ridge=1e-3, cut=1e-4) is None


def test_tails_are_what_a_rank_leaves_out() -> None:
    assert tails(np.array([1.0, 0.5, 0.1])) == pytest.approx([1.26, 0.26, 0.01, 0.0])
