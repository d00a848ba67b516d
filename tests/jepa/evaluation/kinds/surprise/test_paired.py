"""Statistics of twins, beside scipy's where it has them."""

import numpy as np
import pytest
from scipy.stats import rankdata, wilcoxon

from jepa.evaluation.kinds.surprise.paired import (
    pairwise_accuracy,
    rank_biserial,
    rate_over_episodes,
    wilcoxon_p,
)
from jepa.evaluation.statistics import score_interval, wilson


def test_a_score_interval_is_wilsons() -> None:
    ours, known = score_interval(0.3, 40, 40), wilson(12, 40)
    assert (ours.value, ours.n) == (known.value, known.n)
    assert ours.low == pytest.approx(known.low) and ours.high == pytest.approx(known.high)


def test_ties_count_half() -> None:
    accuracy = pairwise_accuracy([2.0, 1.0, 5.0, 1.0], [1.0, 1.0, 9.0, 0.0])
    assert (accuracy.value, accuracy.n) == (0.625, 4) and accuracy.low < 0.625 < accuracy.high


def test_the_test_is_wilcoxons_and_one_sided() -> None:
    rng = np.random.default_rng(0)
    control = rng.normal(size=40)
    struck = control + rng.normal(0.4, 1, size=40)
    assert wilcoxon_p(struck, control).value == wilcoxon(struck, control, alternative="greater").pvalue
    assert wilcoxon_p(struck, control).value < 0.1 < 0.9 < wilcoxon_p(control, struck).value
    assert wilcoxon_p(control, control).value == 1.0 and rank_biserial(control, control).value == 0.0


@pytest.mark.parametrize("digits", [8, 0])
def test_the_effect_size_is_that_of_signed_ranks(digits: int) -> None:
    """Rounded to whole numbers there are ties and zeros, too."""
    rng = np.random.default_rng(1)
    difference = rng.normal(0.5, 2, size=60).round(digits)
    moved = difference[difference != 0]
    ranks = rankdata(np.abs(moved))
    expected = (ranks[moved > 0].sum() - ranks[moved < 0].sum()) / ranks.sum()
    effect = rank_biserial(difference, np.zeros(60))
    assert effect.value == pytest.approx(expected) and effect.low < expected < effect.high and effect.n == 60


def test_the_interval_of_the_effect_size_covers() -> None:
    rng = np.random.default_rng(2)
    truth = rank_biserial(rng.normal(0.5, 1, 2000), np.zeros(2000)).value
    found = [rank_biserial(rng.normal(0.5, 1, 50), np.zeros(50)) for _ in range(300)]
    assert np.mean([one.low <= truth <= one.high for one in found]) > 0.9


def test_frames_that_hang_together_are_worth_fewer() -> None:
    """Half of the episodes raise an alarm at each frame: 20 episodes are worth 20 samples, not 200."""
    together = rate_over_episodes([np.full(10, n % 2 == 0) for n in range(20)])
    apart = rate_over_episodes([np.arange(10) % 2 == 0] * 20)
    assert together.value == apart.value == 0.5 and together.n == apart.n == 20
    assert together.high - together.low == pytest.approx(2 * (wilson(10, 20).high - 0.5), rel=0.05)
    assert apart.high - apart.low == pytest.approx(2 * (wilson(100, 200).high - 0.5), rel=1e-6)
    none = rate_over_episodes([np.zeros(10, bool)] * 20)
    assert (none.value, none.low) == (0.0, 0.0) and none.high == pytest.approx(wilson(0, 200).high)
