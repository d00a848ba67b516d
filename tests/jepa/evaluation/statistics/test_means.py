"""Bootstrap-t means: where samples are awkward, and what they are made of."""

import numpy as np
import pytest
from scipy.stats import t as student

from jepa.evaluation.statistics import Z_95, Estimate, bootstrap_mean, bootstrap_weights, mean_intervals


def test_bootstrap_mean_is_as_wide_as_the_normal_interval() -> None:
    values = np.random.default_rng(2).normal(3, 2, size=400)
    estimate = bootstrap_mean(values, seed=0, resamples=4000)
    assert estimate.high - estimate.low == pytest.approx(2 * Z_95 * values.std() / 20, rel=0.08)
    assert estimate == bootstrap_mean(values, seed=0, resamples=4000)


def test_the_interval_is_that_of_studentised_resamples() -> None:
    """Against a loop that follows the definition, resample by resample."""
    values = np.random.default_rng(3).exponential(size=40)
    estimate = bootstrap_mean(values, seed=5, resamples=300)
    studentised = []
    for weights in bootstrap_weights(40, seed=5, resamples=300).astype(int):
        resample = np.repeat(values, weights)
        studentised.append((resample.mean() - values.mean()) / (resample.std(ddof=1) / np.sqrt(40)))
    low, high = np.quantile(studentised, [0.025, 0.975])
    error = values.std(ddof=1) / np.sqrt(40)
    assert estimate.low == pytest.approx(values.mean() - high * error)
    assert estimate.high == pytest.approx(values.mean() - low * error)


def test_the_interval_leans_to_the_side_of_rare_large_values() -> None:
    values = np.zeros(50)
    values[:10] = np.random.default_rng(0).exponential(size=10)
    estimate = bootstrap_mean(values, seed=0)
    assert estimate.high - estimate.value > 1.3 * (estimate.value - estimate.low) > 0


def test_one_group_alone_has_no_interval_and_none_have_no_mean() -> None:
    estimate = bootstrap_mean([0.3], seed=0)
    assert estimate.value == 0.3 and np.isnan(estimate.low) and np.isnan(estimate.high) and estimate.n == 1
    with pytest.raises(ValueError, match="at least one value"):
        bootstrap_mean([], seed=0)


def test_what_is_not_a_number_leaves_no_interval() -> None:
    estimate = bootstrap_mean([0.1, np.nan, 0.2], seed=0)
    assert np.isnan([estimate.value, estimate.low, estimate.high]).all()


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9])
@pytest.mark.parametrize("groups", [2, 7, 100])
def test_groups_that_are_alike_have_an_interval_without_a_width(value: float, groups: int) -> None:
    estimate = bootstrap_mean(np.full(groups, value), seed=1)
    assert (estimate.low, estimate.high) == pytest.approx((value, value), rel=1e-12, abs=0)


def test_a_few_groups_have_student_s_interval() -> None:
    values = np.array([1.0, 2.0, 4.0])
    half = student(2).ppf(0.975) * values.std(ddof=1) / np.sqrt(3)
    estimate = bootstrap_mean(values, seed=0)
    assert (estimate.low, estimate.high) == pytest.approx((values.mean() - half, values.mean() + half))


@pytest.mark.parametrize("others", [1, 2, 3])
def test_a_sample_of_zeros_but_for_a_few_has_a_finite_interval(others: int) -> None:
    """More than one resample in forty has zeros alone, whose standard error is none."""
    values = np.zeros(50)
    values[:others] = 1.0
    estimate = bootstrap_mean(values, seed=2)
    assert 2 * estimate.value < estimate.high < 12 * estimate.value
    scaled = bootstrap_mean(1e-6 * values, seed=2)
    assert scaled.high == pytest.approx(1e-6 * estimate.high) and scaled.low == pytest.approx(1e-6 * estimate.low)


def test_many_samples_at_once_have_the_intervals_of_each() -> None:
    values_MG = np.random.default_rng(4).exponential(size=(5, 30))
    low_M, high_M = mean_intervals(values_MG, bootstrap_weights(30, seed=9))
    for values, low, high in zip(values_MG, low_M, high_M, strict=True):
        one = bootstrap_mean(values, seed=9)
        assert (one.low, one.high) == pytest.approx((low, high))
        assert one == Estimate(float(values.mean()), one.low, one.high, 30)
