"""Two models on the same problems: against definitions, and with one that is better by construction."""

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from jepa.evaluation.statistics import (
    Discordance,
    Estimate,
    bootstrap_mean,
    interval_p_value,
    mcnemar,
    paired_difference,
    paired_rate_difference,
    probability_of_improvement,
    seeds_difference,
    wilson,
)


def test_mcnemar_is_the_exact_binomial_test_of_the_discordant() -> None:
    first, second = np.r_[np.ones(3), np.zeros(12), np.ones(20)], np.r_[np.zeros(3), np.ones(12), np.ones(20)]
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (3, 12)
    assert found.p_value == pytest.approx(binomtest(3, 15).pvalue)
    assert mcnemar(second, first).p_value == found.p_value


def test_mcnemar_of_rates_counts_who_is_ahead_on_each_problem() -> None:
    found = mcnemar([0.0, 1 / 3, 1.0, 1.0], [2 / 3, 2 / 3, 1.0, 0.0])
    assert (found.only_first, found.only_second) == (1, 2)
    assert mcnemar([1, 0], [1, 0]) == Discordance(0, 0, 1.0)
    with pytest.raises(ValueError, match="equally many"):
        mcnemar([1, 0], [1])


def test_a_paired_difference_changes_its_sign_with_the_order_and_knows_of_the_pairing() -> None:
    rng = np.random.default_rng(0)
    hard = rng.exponential(size=80)
    first, second = hard + rng.normal(0, 0.05, 80), hard - 0.1 + rng.normal(0, 0.05, 80)
    there, back = paired_difference(first, second, seed=1), paired_difference(second, first, seed=1)
    assert there.high < 0 < back.low
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    alone = bootstrap_mean(first, seed=1)
    assert there.high - there.low < 0.2 * (alone.high - alone.low)


def test_rates_that_no_problem_tells_apart_are_not_certain_to_be_equal() -> None:
    same = paired_rate_difference(np.ones(100), np.ones(100), seed=0)
    assert same.value == 0 and 0.03 < same.high == -same.low < 0.06
    streams = paired_rate_difference(np.full(100, 1 / 3), np.full(100, 1 / 3), seed=0)
    assert streams == Estimate(0.0, -wilson(0, 100).high, wilson(0, 100).high, 100)
    assert paired_rate_difference([0, 0, 1, 1, 1, 0], [1, 1, 1, 0, 1, 1], seed=0).value == pytest.approx(1 / 3)


def test_paired_rates_have_newcombe_s_interval() -> None:
    """36 both, 12 only the one, 2 only the other, of 50: .0569 to .3404, as his paper of 1998 has it by method 10."""
    first = np.r_[np.ones(36), np.ones(12), np.zeros(2)]
    second = np.r_[np.ones(36), np.zeros(12), np.ones(2)]
    found = paired_rate_difference(second, first, seed=0)
    assert (found.value, found.low, found.high) == pytest.approx((0.20, 0.0569, 0.3404), abs=5e-5)
    back = paired_rate_difference(first, second, seed=0)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_five_problems_that_only_one_solved_are_no_difference_that_the_exact_test_does_not_find() -> None:
    first, second = np.ones(100), np.ones(100)
    first[:3] = second[:8] = 0
    assert mcnemar(first, second).p_value > 0.05
    assert paired_rate_difference(first, second, seed=0).high > -0.005


def test_probability_of_improvement_counts_ties_half_and_swaps() -> None:
    first, second = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 1.0, 5.0])
    there = probability_of_improvement(first, second, seed=0)
    back = probability_of_improvement(second, first, seed=0)
    assert there.value == 2.5 / 4 and back.value == 1.5 / 4
    assert probability_of_improvement(first, second, seed=0, less_is_better=True).value == 1.5 / 4
    assert 0 <= there.low <= there.value <= there.high <= 1


def test_problems_that_all_say_the_same_leave_a_width() -> None:
    won = probability_of_improvement(np.zeros(4), np.ones(4), seed=0)
    assert won == wilson(4, 4) and won.low == pytest.approx(0.51, abs=0.01)
    assert probability_of_improvement(np.ones(4), np.zeros(4), seed=0) == wilson(0, 4)
    tied = probability_of_improvement(np.ones(100), np.ones(100), seed=0)
    assert tied.value == 0.5 and 0.03 < tied.high - tied.low < 0.04


def test_the_p_value_of_an_interval_is_that_of_the_test_that_made_it() -> None:
    away = np.random.default_rng(4).normal(0.3, 1, 30)
    half = ttest_1samp(away, 0).confidence_interval().high - away.mean()
    estimate = Estimate(away.mean(), away.mean() - half, away.mean() + half, 30)
    assert interval_p_value(estimate, 29) == pytest.approx(ttest_1samp(away, 0).pvalue)
    # Of a lopsided interval the end towards no difference decides.
    assert interval_p_value(Estimate(1.0, 0.0, 1.1, 30), 29) == pytest.approx(0.05)
    assert (
        (interval_p_value(Estimate(-1.0, -9.0, -0.1, 30), 29) or 1)
        < 0.05
        < (interval_p_value(Estimate(-1.0, -1.1, 0.1, 30), 29) or 0)
    )
    assert interval_p_value(Estimate(1.0, 1.0, 1.0, 30), 29) is None
    assert interval_p_value(Estimate(1.0, float("nan"), float("nan"), 1), 1) is None


def test_probability_of_improvement_over_seeds_pairs_each_with_each() -> None:
    first, second = np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[1.0, 5.0], [3.0, 5.0], [-1.0, 9.0]])
    estimate = probability_of_improvement(first, second, seed=0)
    assert estimate.value == pytest.approx(np.mean([(1 + 0 + 1 + 1 + 0 + 0) / 6, (0.5 * 4 + 2) / 6]))
    assert estimate.low <= estimate.value <= estimate.high and estimate.n == 2


def test_the_difference_of_recipes_is_less_certain_than_that_of_two_models() -> None:
    """Seeds that differ by more than the problems do leave little to say, whatever the number of problems."""
    rng = np.random.default_rng(2)
    problems = rng.normal(0, 1, 400)
    first = problems + np.array([0.0, 0.4, 0.8])[:, None] + rng.normal(0, 0.1, (3, 400))
    second = problems + np.array([0.3, 0.7, 1.1])[:, None] + rng.normal(0, 0.1, (3, 400))
    recipes = seeds_difference(first, second)
    models = paired_difference(first[0], second[0], seed=0)
    assert models.low > 0.2 and recipes.low < 0 < recipes.value == pytest.approx(0.3, abs=0.03)
    back = seeds_difference(second, first)
    assert (back.value, back.low, back.high) == pytest.approx((-recipes.value, -recipes.high, -recipes.low))
    with pytest.raises(ValueError, match="two seeds each"):
        seeds_difference(first[:1], second)


def test_the_difference_of_recipes_covers() -> None:
    """Three seeds and sixty problems, 1,000 times; its interval may be a little wide and must not be narrow."""
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(1000):
        first, second = (
            rng.normal(0, 0.1, (3, 1)) + rng.normal(0, 0.3, (3, 60)) + problems
            for problems in [rng.normal(0, 1, 60)]
            for _ in range(2)
        )
        one = seeds_difference(first, second)
        covered.append(one.low <= 0 <= one.high)
    assert 0.93 < np.mean(covered) < 0.99
