"""Wilson's interval against the equation that it solves."""

import numpy as np
import pytest

from jepa.evaluation.statistics import Z_95, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (47, 50), (90, 100)])
def test_wilson_bounds_solve_the_score_equation(successes: int, n: int) -> None:
    estimate = wilson(successes, n)
    for bound in (estimate.low, estimate.high):
        if 0 < bound < 1:
            assert abs(successes / n - bound) == pytest.approx(Z_95 * np.sqrt(bound * (1 - bound) / n))
    assert 0 <= estimate.low <= successes / n <= estimate.high <= 1
    assert estimate.high - estimate.low > 0.01


def test_wilson_known_value() -> None:
    estimate = wilson(8, 10)
    assert (estimate.low, estimate.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, n)
