"""The closed-form optimum: tails of singular values, a shared encoder, and the kernel that two papers share."""

from math import comb

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.studies.generalization.tabular.operators import operators, product_of, spectral_risk
from jepa.studies.generalization.tabular.optimum import (
    per_action_optimum,
    right_space,
    shared_optimum,
    shared_tail,
    singular_values,
    subspace_angle,
    tails,
)
from jepa.studies.generalization.tabular.worlds import WORLD_NAMES, WorldName, make_tabular_world, ornstein_uhlenbeck

RING = make_tabular_world("ring", 24, 1.5, 0)


@pytest.mark.parametrize("name", WORLD_NAMES)
@pytest.mark.parametrize("k", [1, 4, 36])
def test_the_optimum_of_an_action_leaves_its_tail(name: WorldName, k: int) -> None:
    world = make_tabular_world(name, 36, 0.7, 1)
    risk_A = spectral_risk(world, product_of(world, per_action_optimum(world, k)))
    assert np.allclose(risk_A, tails(operators(world), k), atol=1e-12)


@pytest.mark.parametrize("name", ["ring", "torus", "blocks", "permutations"])
def test_the_shared_optimum_leaves_the_tail_of_the_stack(name: WorldName) -> None:
    world = make_tabular_world(name, 36, 0.7, 1)
    risk_A = spectral_risk(world, product_of(world, shared_optimum(world, 5)))
    assert risk_A.mean() == pytest.approx(shared_tail(operators(world), 5), abs=1e-12)
    assert risk_A.mean() > tails(operators(world), 5).mean() - 1e-12


def test_no_other_shared_encoder_does_better() -> None:
    world, rng = make_tabular_world("blocks", 24, 0.7, 1), numpy_generator(0, "other")
    operator_ANN = operators(world)
    best = spectral_risk(world, product_of(world, shared_optimum(world, 4))).mean()
    for size in (1e-3, 0.1, 10.0):
        other = np.linalg.qr(right_space(operator_ANN, 4) + size * rng.normal(size=(24, 4)))[0]
        assert np.square(operator_ANN - operator_ANN @ other @ other.T).sum() / 4 > best


@pytest.mark.parametrize(("k", "risk"), [(1, 3.5135), (5, 0.72005), (9, 0.051253), (15, 1.1139e-4)])
def test_on_the_ring_a_shared_encoder_costs_nothing(k: int, risk: float) -> None:
    risk_A = spectral_risk(RING, product_of(RING, shared_optimum(RING, k)))
    assert np.allclose(risk_A, tails(operators(RING), k), atol=1e-12)
    assert risk_A == pytest.approx(risk, rel=1e-4)


def test_the_ring_s_spectrum() -> None:
    published = [1, 0.926, 0.926, 0.735, 0.735, 0.5, 0.5, 0.291]
    assert singular_values(operators(RING))[:, :8] == pytest.approx(np.tile(published, (4, 1)), abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_deterministic_worlds_have_singular_values_of_0_and_1(seed: int) -> None:
    world = make_tabular_world("maps", 24, 1.0, seed)
    images_A = (world.next_AN > 0).sum(1)
    expected_AN = (np.arange(24) < images_A[:, None]).astype(float)
    assert singular_values(operators(world)) == pytest.approx(expected_AN, abs=1e-12)


def test_where_weights_differ_there_is_no_shared_closed_form() -> None:
    with pytest.raises(ValueError, match="shared"):
        shared_optimum(make_tabular_world("maps", 24, 1.0, 0), 3)


def test_a_subspace_s_angle_is_exact_also_where_it_is_small() -> None:
    one = np.eye(5)[:, :2]
    for angle in (1e-6, 30.0, 90.0):
        turned = one.copy()
        turned[[1, 2], 1] = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        assert subspace_angle(3 * one, turned @ [[1, 2], [0, 1]]) == pytest.approx(angle, rel=1e-6)


@pytest.mark.parametrize("rho", [0.5, 0.8, 0.95])
def test_the_ornstein_uhlenbeck_kernel_has_powers_of_rho(rho: float) -> None:
    sigma_N = singular_values(operators(ornstein_uhlenbeck(rho)))[0]
    assert sigma_N[:6] == pytest.approx(rho ** np.arange(6), abs=1e-8)


def test_in_two_dimensions_powers_of_rho_are_as_many_as_monomials() -> None:
    sigma_N = singular_values(operators(ornstein_uhlenbeck(0.6, dims=2, points=25, reach=6.0)))[0]
    expected = np.concatenate([np.full(comb(degree + 1, degree), 0.6**degree) for degree in range(4)])
    assert sigma_N[: len(expected)] == pytest.approx(expected, abs=1e-3)
