"""Metrics of identifiability against maps whose values are known exactly."""

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.evaluation.kinds.identifiability.metrics import (
    Floats,
    approximate_bound,
    closest_rotation,
    explained,
    fit_affine,
    linear_dynamics,
    linear_r2,
    orthogonality_error,
    procrustes_error,
    stationarity_gap,
)

RHO = 0.9


def ou_pairs(n: int = 20_000, size: int = 3) -> tuple[Floats, Floats]:
    rng = numpy_generator(0, "pairs")
    z = rng.standard_normal((n, size))
    z = (z - z.mean(0)) @ np.linalg.inv(
        np.linalg.cholesky(z.T @ z / n - np.outer(z.mean(0), z.mean(0)))
    ).T  # white here
    return z, RHO * z + np.sqrt(1 - RHO**2) * rng.standard_normal((n, size))


def rotation(size: int = 3) -> Floats:
    return np.linalg.qr(numpy_generator(1, "rotation").standard_normal((size, size)))[0]


def test_a_rotation_is_recognised_whatever_the_mean() -> None:
    z, _ = ou_pairs()
    h = z @ rotation().T + 5.0
    assert linear_r2(h, z) == pytest.approx(1.0, abs=1e-12)
    assert linear_r2(z, h) == pytest.approx(1.0, abs=1e-12)
    assert orthogonality_error(z, h) < 1e-10
    assert procrustes_error(z, h) < 1e-10
    assert procrustes_error(z, h, centre=False) == pytest.approx(75.0, rel=1e-3)  # ‖mean‖² = 3 · 5²
    np.testing.assert_allclose(closest_rotation(z, h), rotation(), atol=1e-10)


def test_size_counts_as_orthogonality_only_without_rescaling() -> None:
    z, _ = ou_pairs()
    h = 0.5 * z @ rotation().T
    assert orthogonality_error(z, h) == pytest.approx(0.75, abs=1e-10)
    assert orthogonality_error(z, h, rescale=True) < 1e-10
    assert procrustes_error(z, h) == pytest.approx(3 * 0.25, abs=1e-10)
    sheared = z @ np.diag([2.0, 1.0, 1.0])
    assert orthogonality_error(z, sheared, rescale=True) > 0.3


def test_r2_is_pooled_over_dimensions_and_goes_both_ways() -> None:
    z, _ = ou_pairs()
    assert linear_r2(z[:, :2], z) == pytest.approx(2 / 3, abs=1e-10)  # one of three white dimensions is absent
    assert linear_r2(z, z[:, :2]) == pytest.approx(1.0, abs=1e-12)
    collapsed = np.zeros_like(z)
    assert linear_r2(collapsed, z) == pytest.approx(0.0, abs=1e-12)
    assert linear_r2(z, collapsed) == 0.0
    tiny = np.stack([z[:, 0] * 1e-9, z[:, 0] * 1e-9, z[:, 1]], axis=1)  # repeated and small: still its content
    assert linear_r2(tiny, z[:, :2]) == pytest.approx(1.0, abs=1e-9)


def test_a_fitted_map_predicts_other_samples() -> None:
    z, following = ou_pairs()
    mapped = fit_affine(z, 2 * z + 1)
    np.testing.assert_allclose(mapped(following), 2 * following + 1, atol=1e-9)
    assert explained(mapped(following), 2 * following + 1) == pytest.approx(1.0, abs=1e-12)


def test_the_bound_of_a_shrunken_rotation() -> None:
    z, following = ou_pairs()
    terms = approximate_bound(0.8 * z, 0.8 * following, RHO)
    assert terms.epsilon == pytest.approx(np.sqrt(3) * 0.36, abs=1e-10)
    assert terms.loss == pytest.approx(0.64 * 2 * (1 - RHO) * 3, rel=0.03)
    assert procrustes_error(z, 0.8 * z) == pytest.approx(3 * 0.04, abs=1e-10) and terms.bound > 0.12
    assert terms.excess == terms.delta / (2 * RHO * (1 - RHO))


def test_latents_of_a_higher_degree_cost_their_excess() -> None:
    z, following = ou_pairs(200_000, 1)
    h, h_next = (z**2 - 1) / np.sqrt(2), (following**2 - 1) / np.sqrt(2)
    terms = approximate_bound(h, h_next, RHO)
    assert terms.loss == pytest.approx(2 * (1 - RHO**2), rel=0.03)
    assert terms.excess == pytest.approx(1.0, rel=0.05)  # all of its variance is not linear
    assert procrustes_error(z, h) == pytest.approx(2.0, rel=0.05)
    assert terms.bound == pytest.approx(2.0, rel=0.2)  # the border case, in which error and bound are equal


def test_dynamics_are_recovered_in_rotated_latents() -> None:
    z, following = ou_pairs()
    found = linear_dynamics(z @ rotation().T, following @ rotation().T)
    np.testing.assert_allclose(found.transition_HH, RHO * np.eye(3), atol=0.02)
    np.testing.assert_allclose(found.noise_HH, (1 - RHO**2) * np.eye(3), atol=0.02)
    assert found.r2 == pytest.approx(RHO**2, abs=0.01)


def test_the_stationarity_gap_sees_the_one_coordinate_that_moves() -> None:
    z, following = ou_pairs()
    assert stationarity_gap(z, following) < 0.03
    assert stationarity_gap(z, following + np.array([0.0, 1.0, 0.0])) == pytest.approx(0.383, abs=0.03)


def test_what_does_not_fit_is_refused() -> None:
    z, following = ou_pairs(10)
    with pytest.raises(ValueError, match="equally many rows"):
        fit_affine(z, following[:5])
    with pytest.raises(ValueError, match=r"inside \(0, 1\)"):
        approximate_bound(z, following, 1.0)
