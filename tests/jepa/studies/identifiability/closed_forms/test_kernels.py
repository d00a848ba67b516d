"""Kernels of pairs against their closed forms."""

import numpy as np
import pytest

from jepa.studies.identifiability.closed_forms.kernels import (
    best_aligned,
    ou_singular_values,
    state_is_recovered,
    whitening_optimum,
)


@pytest.mark.parametrize("rho", [0.5, 0.8, 0.95])
def test_the_gaussian_kernels_singular_values_are_powers(rho: float) -> None:
    np.testing.assert_allclose(ou_singular_values(rho), rho ** np.arange(5), atol=1e-4)


@pytest.mark.parametrize(("alpha", "r2"), [(2.0, 1.0), (4.0, 0.987), (8.0, 0.982), (32.0, 0.983)])
def test_whitening_keeps_the_state_linear_for_the_gaussian_alone(alpha: float, r2: float) -> None:
    assert whitening_optimum(alpha, 0.95) == pytest.approx(r2, abs=6e-4)
    assert whitening_optimum(alpha, 0.95, points=401) == pytest.approx(whitening_optimum(alpha, 0.95), abs=1e-4)


def test_heavy_tails_lose_most_of_it() -> None:
    assert whitening_optimum(1.0, 0.95) < 0.5


def test_the_square_of_a_slow_coordinate_displaces_a_fast_one() -> None:
    assert best_aligned((0.95, 0.6)) == [(1, 0), (2, 0)]
    assert best_aligned((0.95, 0.92)) == [(1, 0), (0, 1)]
    assert best_aligned((0.95, 0.6, 0.5)) == [(1, 0, 0), (2, 0, 0), (3, 0, 0)]


@pytest.mark.parametrize("fast", [0.5, 0.8, 0.9, 0.905, 0.94])
def test_the_border_is_the_square_of_the_slowest(fast: float) -> None:
    rates = (0.95, fast, 0.95)
    linear = all(sum(index) == 1 for index in best_aligned(rates))
    assert linear == state_is_recovered(rates) == (fast > 0.95**2)
