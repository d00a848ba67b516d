"""Dose-response: the strength at which half of the events are noticed."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from jepa.evaluation.kinds.surprise.doses import half_noticed, isotonic

STRENGTHS = (0.0, 1.0, 2.0, 4.0)


def noticed(*rates: float, episodes: int = 100) -> NDArray[np.bool_]:
    return np.stack([np.arange(episodes) < rate * episodes for rate in rates], axis=1)


def test_the_regression_is_scipys() -> None:
    rng = np.random.default_rng(0)
    rate, count = rng.random((20, 6)), rng.integers(1, 30, (20, 6)).astype(float)
    for row, weights, fitted in zip(rate, count, isotonic(rate, count), strict=True):
        np.testing.assert_allclose(fitted, isotonic_regression(row, weights=weights).x)


def test_half_are_noticed_between_two_strengths() -> None:
    found = half_noticed(STRENGTHS, noticed(0.0, 0.1, 0.3, 0.9), np.ones((100, 4), bool), 0)
    assert found is not None and found.value == pytest.approx(2 + 2 * (0.2 / 0.6)) and found.n == 100
    assert 2 < found.low < found.value < found.high < 4


def test_what_falls_by_chance_is_levelled() -> None:
    found = half_noticed(STRENGTHS, noticed(0.0, 0.6, 0.4, 1.0), np.ones((100, 4), bool), 0)
    assert found is not None and found.value == pytest.approx(1.0)


def test_below_the_least_strength_the_interval_begins_at_none() -> None:
    found = half_noticed(STRENGTHS, noticed(0.0, 1.0, 1.0, 1.0), np.ones((100, 4), bool), 0)
    assert found is not None and (found.low, found.value, found.high) == (0.0, 0.5, 0.5)


def test_beyond_what_was_tried_nothing_is_said() -> None:
    everyone = np.ones((100, 4), bool)
    assert half_noticed(STRENGTHS, noticed(0.0, 0.0, 0.1, 0.3), everyone, 0) is None
    barely = half_noticed(STRENGTHS, noticed(0.0, 0.0, 0.1, 0.52), everyone, 0)
    assert barely is not None and np.isfinite(barely.low) and np.isnan(barely.high)


def test_who_was_not_struck_counts_nowhere() -> None:
    """All of the 40 that were struck were noticed at strength 2, and none of the others."""
    struck = np.ones((100, 4), bool)
    struck[40:, 1:] = False
    found = half_noticed(STRENGTHS, noticed(0.0, 0.0, 0.4, 0.4), struck, 0)
    assert found is not None and found.value == pytest.approx(1.5) and found.n == 40
    assert half_noticed(STRENGTHS, noticed(0.0, 0.0, 0.4, 0.4), np.zeros((100, 4), bool), 0) is None
