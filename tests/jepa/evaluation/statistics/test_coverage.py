"""Intervals cover what they are of in 95 % of all samples, at 50 and at 200 groups: a simulation with the code itself.

Each figure is the share of `REPETITIONS` samples whose interval holds the truth; its own error is 0.24 points (one
standard deviation), so that 1.5 points are over six of them. Seeds are fixed: the figures are the same every time.

Of a rate the coverage jumps with the rate, for a count is a whole number (at n = 50 Wilson's is between 91.9 and 98.8 %
for rates from 5 to 95 %), so it is that of rates drawn evenly from there. Regret is zero but for a share of the
problems: its coverage is that of shares drawn evenly from 10 to 60 %, and that of two of them. The worst single shares,
measured with 20,000 samples at n = 50, are 10 % (93.7 %) and 20 % (96.3 %). Where the values that are not zero are
nearly alike the sample is a count in disguise, and a fifth of them at n = 50 is covered in 98 % of all samples.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri

from jepa.evaluation.statistics import (
    auroc_intervals,
    bootstrap_weights,
    mean_intervals,
    pair_parts,
    paired_rate_difference,
    wilson,
)

Floats = NDArray[np.float64]
REPETITIONS, BLOCKS = 8000, 8
"""Blocks have resamples of their own, so that chance in these averages out as well."""
SIZES = (50, 200)
NOMINAL, TOLERANCE = 0.95, 0.015


def mean_coverage(draw: Callable[[np.random.Generator, tuple[int, int]], tuple[Floats, Floats]], groups: int) -> float:
    """Returns the share of samples whose bootstrap-t interval holds the true mean, (M, 1), that is drawn with them."""
    covered = []
    for block in range(BLOCKS):
        values_MG, truth_M1 = draw(np.random.default_rng(block), (REPETITIONS // BLOCKS, groups))
        low_M, high_M = mean_intervals(values_MG, bootstrap_weights(groups, seed=block))
        covered.append((low_M <= truth_M1[:, 0]) & (truth_M1[:, 0] <= high_M))
    return float(np.mean(covered))


@pytest.mark.parametrize("groups", SIZES)
def test_wilson_covers_rates(groups: int) -> None:
    rng = np.random.default_rng(0)
    ends = [wilson(successes, groups) for successes in range(groups + 1)]
    low, high = np.array([one.low for one in ends]), np.array([one.high for one in ends])
    rate_M = rng.uniform(0.05, 0.95, 50 * REPETITIONS)
    drawn_M = rng.binomial(groups, rate_M)
    coverage = np.mean((low[drawn_M] <= rate_M) & (rate_M <= high[drawn_M]))
    assert coverage == pytest.approx(NOMINAL, abs=TOLERANCE)


@pytest.mark.parametrize("groups", SIZES)
def test_the_difference_of_paired_rates_is_covered(groups: int) -> None:
    """Rates drawn evenly from 20 to 95 %; half of the luck is a problem's, the same for both models."""
    rng = np.random.default_rng(groups)
    covered = []
    for _ in range(REPETITIONS // 2):
        rate, other = rng.uniform(0.2, 0.95, 2)
        luck = rng.normal(0, np.sqrt(0.5), groups)
        first, second = (luck + rng.normal(0, np.sqrt(0.5), groups) < ndtri(one) for one in (rate, other))
        found = paired_rate_difference(first, second, seed=0)
        covered.append(found.low <= other - rate <= found.high)
    assert np.mean(covered) == pytest.approx(NOMINAL, abs=TOLERANCE)


@pytest.mark.parametrize("groups", SIZES)
@pytest.mark.parametrize("share", [(0.1, 0.6), (0.3, 0.3), (0.5, 0.5)])
def test_bootstrap_t_covers_zero_inflated_regret(share: tuple[float, float], groups: int) -> None:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
        share_M1 = rng.uniform(*share, (shape[0], 1))
        return np.where(rng.random(shape) < share_M1, rng.exponential(size=shape), 0.0), share_M1

    assert mean_coverage(draw, groups) == pytest.approx(NOMINAL, abs=TOLERANCE)


@pytest.mark.parametrize("groups", SIZES)
def test_bootstrap_t_covers_the_mean_of_normal_values(groups: int) -> None:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
        return rng.normal(3, 2, shape), np.full((shape[0], 1), 3.0)

    assert mean_coverage(draw, groups) == pytest.approx(NOMINAL, abs=TOLERANCE)


@pytest.mark.parametrize("groups", SIZES)
@pytest.mark.parametrize("alike", [0.0, 0.5], ids=["apart", "twins"])
@pytest.mark.parametrize("area", [0.6, 0.75, 0.9, 0.95, 0.98])
def test_the_auroc_of_pairs_is_covered(area: float, alike: float, groups: int) -> None:
    """Scores are normal with a variance of one, of which the two of a pair share the part `alike`."""
    rng = np.random.default_rng(round(1000 * area) + groups)
    common = rng.normal(0, np.sqrt(alike), (REPETITIONS, groups))
    negative, positive = (common + rng.normal(mean, np.sqrt(1 - alike), common.shape) for mean in (0.0, shift(area)))
    parts_MG = np.array([pair_parts(*scores) for scores in zip(positive, negative, strict=True)])
    low_M, high_M = auroc_intervals(parts_MG)
    assert np.mean((low_M <= area) & (area <= high_M)) == pytest.approx(NOMINAL, abs=TOLERANCE)


def shift(area: float) -> float:
    """Returns how far apart the means of normal scores of variance one are whose AUROC this is."""
    return float(np.sqrt(2) * ndtri(area))
