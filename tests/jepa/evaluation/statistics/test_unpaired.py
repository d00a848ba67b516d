"""Differences of independent figures: against others' methods, and whether intervals and probabilities hold true."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from jepa.evaluation.statistics import Estimate, unpaired_test, welch_test


def rate(count: int, n: int) -> Estimate:
    low, high = proportion_confint(count, n, method="wilson")
    return Estimate(count / n, low, high, n)


@pytest.mark.parametrize(("own", "usual"), [((20, 50), (41, 50)), ((0, 20), (9, 30)), ((50, 50), (48, 50))])
def test_of_two_rates_it_is_newcombes_interval_and_fishers_test(own: tuple[int, int], usual: tuple[int, int]) -> None:
    found = unpaired_test(rate(*usual), rate(*own), rate=True)
    low, high = confint_proportions_2indep(*own, *usual, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    table = [[own[0], own[1] - own[0]], [usual[0], usual[1] - usual[0]]]
    assert found.p_value == pytest.approx(stats.fisher_exact(table).pvalue) and found.test == "Fisher's exact"


def test_of_two_means_it_is_welchs() -> None:
    rng = np.random.default_rng(0)
    own, usual = rng.normal(0.5, 2, 30), rng.normal(0, 1, 60)
    found = welch_test(usual.tolist(), own.tolist())
    assert found.p_value == pytest.approx(stats.ttest_ind(own, usual, equal_var=False).pvalue)
    assert found.low is not None and found.high is not None and found.low < own.mean() - usual.mean() < found.high
    assert welch_test([2.0, 3.0], [1.0]).p_value is None and welch_test([1, 1], [1, 1]).p_value == 1.0
    assert welch_test([2.0, 2.0], [1.0, 1.0]).p_value is None


def test_without_a_difference_one_in_twenty_is_below_a_twentieth() -> None:
    rng = np.random.default_rng(1)

    def mean_of(n: int) -> Estimate:
        sample = rng.normal(0, 1, n)
        half = 1.96 * sample.std(ddof=1) / np.sqrt(n)
        return Estimate(float(sample.mean()), float(sample.mean() - half), float(sample.mean() + half), n)

    found = [unpaired_test(mean_of(120), mean_of(80)) for _ in range(2000)]
    assert np.mean([one.p_value is not None and one.p_value < 0.05 for one in found]) == pytest.approx(0.05, abs=0.015)
    covered = [one.low is not None and one.high is not None and one.low <= 0 <= one.high for one in found]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)
    # What the interval leaves out, the test calls unlikely, and the other way round.
    assert all(
        (one.p_value is not None and one.p_value < 0.05) != inside for one, inside in zip(found, covered, strict=True)
    )


def test_a_figure_without_an_interval_is_not_tested() -> None:
    found = unpaired_test(Estimate(0.6, 0.5, 0.7, 9), Estimate(0.4, np.nan, np.nan, 9))
    assert found.value == pytest.approx(-0.2) and found.p_value is None and found.test is None
    still = Estimate(1.0, 1.0, 1.0, 6)
    assert (
        unpaired_test(still, still).p_value == 1.0 and unpaired_test(Estimate(0.9, 0.9, 0.9, 6), still).p_value is None
    )
