"""The spectral identity, the minimum at rotations and Theorem 5.3, exactly."""

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.studies.identifiability.closed_forms.hermite import (
    HermiteMap,
    bound_terms,
    hermite,
    quadrature_loss,
    random_map,
    whitened,
)


def of_terms(*terms: tuple[tuple[int, int], float]) -> HermiteMap:
    return HermiteMap(np.array([term for term, _ in terms]), np.array([[value for _, value in terms]]))


def test_polynomials_are_orthonormal() -> None:
    node, weight = np.polynomial.hermite_e.hermegauss(12)
    values = hermite(node, 5)
    np.testing.assert_allclose((values * weight / weight.sum()) @ values.T, np.eye(6), atol=1e-12)


@pytest.mark.parametrize(("degree", "total"), [((1, 0), 1), ((2, 0), 2), ((1, 1), 2), ((3, 0), 3), ((2, 1), 3)])
def test_a_single_polynomial_costs_what_its_degree_says(degree: tuple[int, int], total: int) -> None:
    h = of_terms((degree, 1.0))
    assert h.loss(0.9) == pytest.approx(2 * (1 - 0.9**total), abs=1e-12)
    assert quadrature_loss(h, 0.9, 5) == pytest.approx(2 * (1 - 0.9**total), abs=1e-12)


@pytest.mark.parametrize("rho", [0.3, 0.9, 0.99])
def test_the_loss_is_the_sum_over_degrees(rho: float) -> None:
    rng = numpy_generator(0, "maps")
    for share in (0.05, 0.5):
        h = random_map(2, 4, rng, share)
        assert h.loss(rho) == pytest.approx(quadrature_loss(h, rho, 5), abs=1e-12)


def test_expansion_and_values_agree() -> None:
    rng = numpy_generator(1, "maps")
    h, z = random_map(2, 3, rng, 0.3), rng.standard_normal((400_000, 2))
    np.testing.assert_allclose(np.cov(h(z), rowvar=False), h.covariance_OO, atol=0.02)
    np.testing.assert_allclose(h(z).T @ z / len(z), h.linear_OD, atol=0.02)


def test_white_maps_stay_above_the_minimum_and_rotations_reach_it() -> None:
    rng, rho = numpy_generator(2, "maps"), 0.9
    for share in np.geomspace(1e-6, 0.9, 30):
        h = whitened(random_map(2, 4, rng, share))
        np.testing.assert_allclose(h.covariance_OO, np.eye(2), atol=1e-12)
        assert h.loss(rho) > 2 * (1 - rho) * 2
    turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    rotation = HermiteMap(np.eye(2, dtype=np.int64), turn)
    assert rotation.loss(rho) == pytest.approx(2 * (1 - rho) * 2, abs=1e-14)


@pytest.mark.parametrize("rho", [0.3, 0.9, 0.99])
def test_every_step_of_theorem_5_3_holds(rho: float) -> None:
    rng = numpy_generator(3, "maps")
    for share in np.geomspace(1e-8, 0.95, 60):
        h = random_map(2, 4, rng, share)
        terms = bound_terms(h, rho)
        assert np.trace(h.covariance_OO) == pytest.approx((h.linear_OD**2).sum() + h.nonlinear, abs=1e-12)
        assert terms.nonlinear_slack >= -1e-12 and terms.rotation_slack >= -1e-12 and terms.bound >= terms.error - 1e-12


def test_degree_two_meets_the_bound_on_the_nonlinear_part_exactly() -> None:
    def beside_the_state(second: int, share: float) -> HermiteMap:
        degree_PD = np.array([(1, 0), (0, 1), (second, 0)])
        return HermiteMap(degree_PD, np.array([[0.9, 0.0, share], [0.0, 0.9, 0.0]]))

    assert bound_terms(beside_the_state(2, 0.3), 0.8).nonlinear_slack == pytest.approx(0.0, abs=1e-12)
    assert bound_terms(beside_the_state(3, 0.3), 0.8).nonlinear_slack > 0.05
