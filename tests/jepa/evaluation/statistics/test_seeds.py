"""The interquartile mean over seeds."""

import numpy as np
import pytest
from scipy.stats import trim_mean

from jepa.evaluation.statistics import interquartile_mean


def test_the_middle_half_of_all_scores_counts() -> None:
    scores = np.random.default_rng(0).random((5, 4))
    estimate = interquartile_mean(scores, seed=0)
    assert estimate.value == pytest.approx(trim_mean(scores.ravel(), 0.25)) and estimate.n == 5
    assert estimate.low < estimate.value < estimate.high
    outlier = scores.copy()
    outlier[0, 0] = scores.ravel().max() + 100
    assert interquartile_mean(outlier, seed=0).value < scores.max()


def test_a_resample_takes_all_scores_of_a_seed_along() -> None:
    """Tasks that repeat one another tell no more than one of them."""
    once = np.random.default_rng(1).random(8)
    alone, repeated = interquartile_mean(once, seed=3), interquartile_mean(np.tile(once[:, None], (1, 6)), seed=3)
    assert repeated.value == pytest.approx(alone.value)
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high))


def test_one_seed_has_no_interval() -> None:
    estimate = interquartile_mean([0.4], seed=0)
    assert estimate.value == 0.4 and np.isnan(estimate.low) and np.isnan(estimate.high)
    with pytest.raises(ValueError, match="at least one score"):
        interquartile_mean(np.zeros((0, 2)), seed=0)
