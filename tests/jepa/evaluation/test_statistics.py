"""Intervals against closed forms, brute force and their own promise of coverage."""

import numpy as np
import pytest
import scipy.stats

from jepa.evaluation.statistics import (
    Z_95,
    Estimate,
    auroc,
    bootstrap_auroc,
    bootstrap_mean,
    bootstrap_regression,
    bootstrap_weights,
    rank_correlation,
    wilson,
)


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


@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_wilson_covers_at_its_level(rate: float) -> None:
    draws = np.random.default_rng(0).binomial(50, rate, size=2000)
    covered = [wilson(int(k), 50).low <= rate <= wilson(int(k), 50).high for k in draws]
    assert 0.92 <= np.mean(covered) <= 0.98


def test_bootstrap_mean_covers_at_its_level() -> None:
    rng = np.random.default_rng(1)
    intervals = [bootstrap_mean(rng.exponential(size=60), seed=k, resamples=400) for k in range(300)]
    assert 0.88 <= np.mean([one.low <= 1.0 <= one.high for one in intervals]) <= 0.98


def test_bootstrap_mean_is_as_wide_as_the_normal_interval() -> None:
    values = np.random.default_rng(2).normal(3, 2, size=400)
    estimate = bootstrap_mean(values, seed=0, resamples=4000)
    assert estimate.high - estimate.low == pytest.approx(2 * Z_95 * values.std() / 20, rel=0.08)
    assert estimate == bootstrap_mean(values, seed=0, resamples=4000)


def test_bootstrap_weights_resample_whole_groups() -> None:
    weights = bootstrap_weights(7, seed=3, resamples=50)
    assert (weights.sum(1) == 7).all() and (weights >= 0).all() and len(np.unique(weights, axis=0)) > 40


def test_auroc_equals_brute_force_with_ties() -> None:
    rng = np.random.default_rng(4)
    positive, negative = rng.integers(0, 6, 40), rng.integers(0, 5, 31)
    brute = np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative])
    assert auroc(positive, negative) == pytest.approx(brute)


def test_auroc_of_known_scores() -> None:
    assert auroc([3, 4, 5], [0, 1, 2]) == 1.0
    assert auroc([0, 1], [2, 3]) == 0.0
    assert auroc([1, 1], [1, 1]) == 0.5
    with pytest.raises(ValueError, match="at least one"):
        auroc([], [1.0])


def test_bootstrap_auroc_resamples_whole_pairs() -> None:
    """To first order as if each resample's own AUROC were taken, and as wide."""
    rng = np.random.default_rng(5)
    positive, negative = rng.normal(1, 1, 200).round(1), rng.normal(0, 1, 200).round(1)
    estimate = bootstrap_auroc(positive, negative, seed=6)
    by_hand = []
    for weights in bootstrap_weights(200, seed=6, resamples=500).astype(int):
        index = np.repeat(np.arange(200), weights)
        by_hand.append(auroc(positive[index], negative[index]))
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])), abs=0.01)
    assert estimate.low < estimate.value == auroc(positive, negative) < estimate.high
    assert bootstrap_auroc([3, 4, 5], [0, 1, 2], seed=0) == Estimate(1.0, 1.0, 1.0, 3)


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


def test_rank_correlation_is_spearman_s_with_ties() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 40), rng.integers(0, 5, 40)
    assert rank_correlation(a, b) == pytest.approx(scipy.stats.spearmanr(a, b).statistic)
    assert rank_correlation([1, 2, 3], [1, 8, 27]) == pytest.approx(1) and np.isnan(rank_correlation([1, 1], [1, 2]))
