"""The AUROC against brute force, and its interval against the one that it should be."""

import numpy as np
import pytest

from jepa.evaluation.statistics import Estimate, auroc, bootstrap_weights, pair_parts, paired_auroc, wilson


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


def test_parts_of_pairs_are_their_shares_of_wins() -> None:
    rng = np.random.default_rng(1)
    positive, negative = rng.integers(0, 6, 30).astype(float), rng.integers(0, 5, 30).astype(float)
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    assert pair_parts(positive, negative) == pytest.approx(wins.mean(0) + wins.mean(1))
    assert pair_parts(positive, negative).mean() / 2 == pytest.approx(auroc(positive, negative))


def test_the_interval_of_twins_is_as_wide_as_resamples_of_whole_pairs() -> None:
    rng = np.random.default_rng(5)
    common = rng.normal(0, 1, 200)
    positive, negative = (common + rng.normal(shift, 1, 200).round(1) for shift in (1, 0))
    estimate = paired_auroc(positive, negative)
    by_hand = []
    for weights in bootstrap_weights(200, seed=6, resamples=500).astype(int):
        index = np.repeat(np.arange(200), weights)
        by_hand.append(auroc(positive[index], negative[index]))
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])), abs=0.015)
    assert estimate.low < estimate.value == auroc(positive, negative) < estimate.high
    shuffled = paired_auroc(positive, rng.permutation(negative))
    assert shuffled.value == estimate.value
    assert shuffled.high - shuffled.low > 1.15 * (estimate.high - estimate.low)


def test_perfect_separation_is_no_certainty() -> None:
    best, worst = paired_auroc([3, 4, 5], [0, 1, 2]), paired_auroc([0, 1, 2], [3, 4, 5])
    bound = wilson(3, 3).low
    assert 0.4 < bound < 0.5
    assert (best.value, best.low, best.high, best.n) == pytest.approx((1.0, bound, 1.0, 3))
    assert (worst.value, worst.low, worst.high, worst.n) == pytest.approx((0.0, 0.0, 1 - bound, 3))


def test_ties_alone_are_chance_and_one_pair_has_no_interval() -> None:
    assert paired_auroc(np.ones(9), np.ones(9)) == Estimate(0.5, 0.5, 0.5, 9)
    one = paired_auroc([1.0], [0.0])
    assert one.value == 1 and np.isnan(one.low) and np.isnan(one.high)
    with pytest.raises(ValueError, match="equally many, got 2 and 3"):
        paired_auroc([1, 2], [1, 2, 3])
