"""Latent worlds keep the moments that they are said to have."""

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.core.seeds import numpy_generator
from jepa.evaluation.kinds.identifiability.metrics import stationarity_gap
from jepa.studies.identifiability.world import ActedWorld, LatentWorld, acted_world, generalised_normal

N = 100_000


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 4.0, 32.0])
def test_every_shape_has_mean_0_and_variance_1(alpha: float) -> None:
    z = generalised_normal((N,), alpha, numpy_generator(0, "z"))
    assert z.dtype == np.float32
    assert z.mean() == pytest.approx(0.0, abs=0.03) and z.var() == pytest.approx(1.0, abs=0.06)


def test_shapes_are_laplace_gaussian_and_uniform() -> None:
    def kurtosis(alpha: float) -> float:
        return float((generalised_normal((N,), alpha, numpy_generator(0, "z")).astype(np.float64) ** 4).mean())

    assert kurtosis(1.0) == pytest.approx(6.0, abs=0.5)
    assert kurtosis(2.0) == pytest.approx(3.0, abs=0.1)
    assert kurtosis(32.0) == pytest.approx(1.8, abs=0.05)


def test_pairs_correlate_by_rho_in_a_chain_and_by_its_square_from_an_anchor() -> None:
    for mode, power in (("chain", 1), ("anchor", 2)):
        world = LatentWorld((0.9, 0.5), pair_mode=mode)  # type: ignore[arg-type]
        one, other = world.pairs(N, numpy_generator(0, "pairs"))
        found = [float(np.corrcoef(one[:, i], other[:, i])[0, 1]) for i in range(2)]
        np.testing.assert_allclose(found, np.array([0.9, 0.5]) ** power, atol=0.02)
        assert abs(np.corrcoef(one[:, 0], other[:, 1])[0, 1]) < 0.02


def test_only_the_gaussian_keeps_its_distribution() -> None:
    gaps = {}
    for alpha in (0.5, 2.0, 32.0):
        world, rng = LatentWorld((0.8,), alpha), numpy_generator(0, "states")
        z = world.states(N, rng)
        gaps[alpha] = stationarity_gap(z, world.successors(z, rng))
    assert gaps[2.0] < 0.01 < 0.02 < min(gaps[0.5], gaps[32.0])


def test_actions_leave_the_distribution_as_it_is() -> None:
    world = acted_world(4, 2, 0.9, 0.7, numpy_generator(0, "world"))
    z, a, following = world.transitions(N, numpy_generator(0, "transitions"))
    np.testing.assert_allclose(np.cov(following, rowvar=False), np.eye(4), atol=0.03)
    np.testing.assert_allclose(following.T @ a / N, world.gain_DA, atol=0.02)
    np.testing.assert_allclose(following.T @ z / N, 0.9 * np.eye(4), atol=0.03)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match=r"inside \(0, 1\)"):
        LatentWorld((0.9, 1.0))
    with pytest.raises(InputError, match="alpha must be positive"):
        LatentWorld((0.9,), alpha=0.0)
    with pytest.raises(InputError, match="at most the state's dimensions"):
        acted_world(2, 3, 0.9, 0.5, numpy_generator(0, "world"))
    with pytest.raises(InputError, match="below 1 - ρ²"):
        ActedWorld(0.9, np.eye(2, dtype=np.float32))
