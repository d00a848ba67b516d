"""R², r and the error against their definitions, and intervals that know of groups."""

import numpy as np
import pytest

from jepa.evaluation.statistics import bootstrap_regression, bootstrap_weights


def test_bootstrap_weights_resample_whole_groups() -> None:
    weights = bootstrap_weights(7, seed=3, resamples=50)
    assert (weights.sum(1) == 7).all() and (weights >= 0).all() and len(np.unique(weights, axis=0)) > 40


def test_regression_measures_equal_their_definitions() -> None:
    rng = np.random.default_rng(7)
    true = rng.normal(100, 1, size=(200, 2))
    predicted = true + rng.normal(0, 0.5, size=true.shape)
    estimates = bootstrap_regression(true, predicted, np.arange(200) // 10, seed=0, resamples=200)
    error = (true - predicted) ** 2
    assert estimates["mse"].value == pytest.approx(error.mean())
    assert estimates["r2"].value == pytest.approx((1 - error.sum(0) / ((true - true.mean(0)) ** 2).sum(0)).mean())
    correlation = [np.corrcoef(true[:, d], predicted[:, d])[0, 1] for d in range(2)]
    assert estimates["pearson_r"].value == pytest.approx(np.mean(correlation))
    assert all(one.low < one.value < one.high and one.n == 20 for one in estimates.values())


def test_regression_interval_knows_that_frames_of_an_episode_are_alike() -> None:
    """One value an episode, repeated over 50 frames, must not look like 50 times the evidence."""
    rng = np.random.default_rng(8)
    true, noise = rng.normal(size=(20, 1)), rng.normal(size=(20, 1))
    once = bootstrap_regression(true, true + noise, np.arange(20), seed=1)
    repeated = bootstrap_regression(
        np.repeat(true, 50, axis=0), np.repeat(true + noise, 50, axis=0), np.repeat(np.arange(20), 50), seed=1
    )
    for name, estimate in once.items():
        assert repeated[name].high - repeated[name].low == pytest.approx(estimate.high - estimate.low, rel=1e-6)


def test_a_constant_target_has_an_mse_and_no_correlation() -> None:
    estimates = bootstrap_regression(np.full((10, 1), 0.3), np.linspace(0, 1, 10)[:, None], np.arange(10), seed=0)
    assert np.isfinite(estimates["mse"].value)
    assert np.isnan(estimates["r2"].value) and np.isnan(estimates["pearson_r"].value)
