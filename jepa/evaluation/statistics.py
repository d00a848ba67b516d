"""Intervals for what an evaluation counts and averages.

Shapes: G groups (episodes; the unit that is resampled), R resamples, J blocks of groups, N samples.
All intervals are two-sided at 95 % and contain their value. Everything drawn at random is drawn from the seed given.

A resample holds some groups twice. What is linear in the groups (means, errors) is right on average all the same; what
is not has to be kept from taking the repeats for structure: R² and r keep the means of the whole sample, the AUROC is
resampled to first order, and a rank, which repeats lower, has a jackknife.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from jepa.core.seeds import numpy_generator

Z_95 = 1.959963984540054
RESAMPLES = 2000

Floats = NDArray[np.float64]
Key = tuple[str, str | None]
"""Metric and quantity of a figure."""
T = TypeVar("T")


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % interval and the number of samples behind it."""

    value: float
    low: float
    high: float
    n: int


def wilson(successes: int, n: int) -> Estimate:
    """Returns a rate with Wilson's score interval, which stays inside [0, 1] and has a width even at 0 and at 1.

    Raises:
        ValueError: `n` is not positive or `successes` lies outside [0, n].
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"a rate needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    rate, z2 = successes / n, Z_95**2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * np.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    # At 0 and at n the end is exact, where rounding would leave 1e-17 or 1 - 1e-16.
    low = 0.0 if successes == 0 else float(centre - half)
    high = 1.0 if successes == n else float(centre + half)
    return Estimate(rate, low, high, n)


def bootstrap_weights(groups: int, seed: int, resamples: int = RESAMPLES) -> Floats:
    """Returns how often each group occurs in each resample, (R, G); every row sums to G."""
    rng = numpy_generator(seed)
    return rng.multinomial(groups, np.full(groups, 1 / groups), size=resamples).astype(np.float64)


def percentile_interval(value: float, resampled_R: ArrayLike, n: int) -> Estimate:
    """Returns the estimate whose interval is the central 95 % of the resampled values, undefined ones left out.

    The resampled values must scatter about the value: where repeats of groups shift them, this is the wrong interval.
    """
    finite = np.asarray(resampled_R, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return Estimate(float(value), float("nan"), float("nan"), n)
    low, high = np.quantile(finite, [0.025, 0.975])
    # Where groups are alike the sums of all and of resamples differ in the last digit.
    return Estimate(float(value), min(float(low), float(value)), max(float(high), float(value)), n)


def jackknife_interval(value: float, left_out_J: ArrayLike, n: int, low: float, high: float) -> Estimate:
    """Returns the estimate with the jackknife's interval, value ± t SE, SE² = (J-1)/J Σ_j (θ_j - mean θ)².

    For figures that are no mean of groups, such as a rank: no group is ever repeated. One block has no interval.

    Args:
        value: of all groups.
        left_out_J: θ_j, the same figure without block j; blocks of groups are about equally large.
        n: groups.
        low: least possible value.
        high: greatest possible value.
    """
    left_out = np.asarray(left_out_J, dtype=np.float64)
    blocks = len(left_out)
    if blocks < 2 or not np.isfinite(left_out).all():
        return Estimate(float(value), float("nan"), float("nan"), n)
    spread = float(np.sqrt((blocks - 1) / blocks * ((left_out - left_out.mean()) ** 2).sum()))
    half = float(stdtrit(blocks - 1, 0.975)) * spread
    return Estimate(float(value), max(low, float(value) - half), min(high, float(value) + half), n)


def jackknife_blocks(groups: int, blocks: int) -> NDArray[np.bool_]:
    """Returns which groups (J, G) each block leaves in: every group is left out once, J is at most `blocks`."""
    blocks = min(groups, blocks)
    kept_JG: NDArray[np.bool_] = np.arange(groups) % blocks != np.arange(blocks)[:, None]
    return kept_JG


def jackknifed(
    groups: Sequence[T],
    figures: Callable[[Sequence[T]], Mapping[Key, float]],
    blocks: int,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> dict[Key, Estimate]:
    """Returns several figures of all groups with jackknife intervals; a figure that is not finite is left out.

    Args:
        groups: what the figures are made of.
        figures: of some of the groups.
        blocks: most blocks of groups that are left out in turn.
        ranges: least and greatest value by metric; 0 and infinity where none are given.
    """
    whole, count = figures(groups), len(groups)
    left_out = [
        figures([one for one, kept in zip(groups, kept_G, strict=True) if kept])
        for kept_G in (jackknife_blocks(count, blocks) if count > 1 else ())
    ]
    found = {}
    for key, value in whole.items():
        if not np.isfinite(value):
            continue
        # A figure that rounding takes beyond its range is its own limit.
        least, most = (ranges or {}).get(key[0], (0.0, np.inf))
        others = [one.get(key, np.nan) for one in left_out]
        found[key] = jackknife_interval(value, others, count, min(least, value), max(most, value))
    return found


def bootstrap_mean(values_G: ArrayLike, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns the mean of one value a group with its percentile bootstrap interval.

    Raises:
        ValueError: there are no values.
    """
    values = np.asarray(values_G, dtype=np.float64)
    if not len(values):
        raise ValueError("a mean needs at least one value")
    means_R = bootstrap_weights(len(values), seed, resamples) @ values / len(values)
    return percentile_interval(values.mean(), means_R, len(values))


def rank_correlation(a_N: ArrayLike, b_N: ArrayLike) -> float:
    """Returns Spearman's rank correlation of paired numbers, ties at their mean rank; NaN where either is constant."""
    ranks = [_mean_ranks(np.asarray(values, dtype=np.float64)) for values in (a_N, b_N)]
    a, b = (rank - rank.mean() for rank in ranks)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")


def _mean_ranks(values_N: Floats) -> Floats:
    _, index_N, count_U = np.unique(values_N, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(count_U) - (count_U - 1) / 2)[index_N]
    return ranks


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Returns P(positive > negative) + P(positive = negative) / 2, the area under the ROC curve, in O(N log N).

    Raises:
        ValueError: one of the two samples is empty.
    """
    positive, negative = np.asarray(positive, dtype=np.float64), np.sort(np.asarray(negative, dtype=np.float64))
    if not len(positive) or not len(negative):
        raise ValueError("an AUROC needs at least one positive and one negative score")
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float((below + not_above).sum() / (2 * len(positive) * len(negative)))


def bootstrap_auroc(positive_G: ArrayLike, negative_G: ArrayLike, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns the AUROC of paired scores (an episode with and without the event) and its interval over the episodes.

    A resampled episode takes both of its scores along, so the pairing's correlation is in the interval. What is
    resampled is an episode's first-order part, P(positive > its negative) + P(its positive > negative): a repeated
    episode would meet itself, which moves the area of scores that hardly differ within a pair.
    """
    positive, negative = np.asarray(positive_G, dtype=np.float64), np.asarray(negative_G, dtype=np.float64)
    if len(positive) != len(negative):
        raise ValueError(f"paired scores must be equally many, got {len(positive)} and {len(negative)}")
    value = auroc(positive, negative)
    wins_GG = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    part_G = wins_GG.mean(0) + wins_GG.mean(1) - 2 * value
    resampled_R = value + bootstrap_weights(len(positive), seed, resamples) @ part_G / len(positive)
    return percentile_interval(value, resampled_R.clip(0, 1), len(positive))


@dataclass(frozen=True)
class RegressionFit:
    """How well a prediction follows its target; fields are arrays over dimensions, or over resamples and dimensions."""

    mse: Floats
    r2: Floats
    pearson_r: Floats


def group_moments(true_ND: Floats, predicted_ND: Floats, group_N: NDArray[np.int64]) -> Floats:
    """Returns, for each group, the sums from which every regression measure follows: (G, 6, D).

    The six are N, Σy, Σŷ, Σy², Σŷ², Σyŷ; a resample of groups is then a weighted sum of this small array.
    """
    _, index_N = np.unique(group_N, return_inverse=True)
    terms = np.stack(
        [np.ones_like(true_ND), true_ND, predicted_ND, true_ND**2, predicted_ND**2, true_ND * predicted_ND], axis=1
    )
    moments = np.zeros((int(index_N.max()) + 1, *terms.shape[1:]))
    np.add.at(moments, index_N, terms)
    return moments


def regression_fit(moments: Floats, whole_6D: Floats) -> RegressionFit:
    """Returns mse, R² and Pearson's r of summed moments (..., 6, D); NaN where the target (r: either) is constant.

    Deviations are those from the means of the whole sample, whose summed moments are `whole_6D`: about a mean of its
    own every resample would vary less.
    """
    n, y, p, yy, pp, yp = np.moveaxis(moments, -2, 0)
    mean_y, mean_p = whole_6D[1:3] / whole_6D[0]
    squared_error = yy - 2 * yp + pp
    variance_y, variance_p = yy - mean_y * (2 * y - n * mean_y), pp - mean_p * (2 * p - n * mean_p)
    covariance = yp - mean_y * p - mean_p * y + n * mean_y * mean_p
    # Sums of squares cancel to rounding noise where nothing varies; such a ratio means nothing.
    variance_y = np.where(variance_y > 1e-10 * np.maximum(yy, 1e-300), variance_y, np.nan)
    variance_p = np.where(variance_p > 1e-10 * np.maximum(pp, 1e-300), variance_p, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return RegressionFit(
            squared_error / n, 1 - squared_error / variance_y, covariance / np.sqrt(variance_y * variance_p)
        )


def bootstrap_regression(
    true_ND: ArrayLike, predicted_ND: ArrayLike, group_N: ArrayLike, seed: int, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Returns `mse`, `r2` and `pearson_r`, averaged over the dimensions, with intervals over groups (episodes).

    A dimension for which a measure is undefined, because its target is constant, is left out of that measure's average.
    Frames of one episode are alike (a door does not move within it), so episodes and not frames are resampled; `n`
    counts the groups.
    """
    true, predicted = np.asarray(true_ND, dtype=np.float64), np.asarray(predicted_ND, dtype=np.float64)
    # Centring first keeps the sums of squares small, so that they lose no digits; no measure depends on it.
    centre = true.mean(0)
    moments = group_moments(true - centre, predicted - centre, np.asarray(group_N))
    weights_RG = bootstrap_weights(len(moments), seed, resamples)
    whole_6D = moments.sum(0)
    resampled = regression_fit(np.einsum("rg,gsd->rsd", weights_RG, moments, optimize=True), whole_6D)
    whole = regression_fit(whole_6D, whole_6D)
    return {
        name: percentile_interval(float(_mean(getattr(whole, name))), _mean(getattr(resampled, name)), len(moments))
        for name in ("mse", "r2", "pearson_r")
    }


def _mean(values: Floats) -> Floats:
    """Returns the mean over the last axis of what is defined, NaN where nothing is."""
    defined = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0.0).sum(-1) / defined.sum(-1))
