"""Two models on the same problems: how far they differ, and whether that may be chance.

Shapes: S seeds of the first, T seeds of the second recipe, N problems, R resamples. Differences are second less first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from jepa.evaluation.statistics.estimates import (
    RESAMPLES,
    Estimate,
    Floats,
    bootstrap_weights,
    percentile_interval,
)
from jepa.evaluation.statistics.means import bootstrap_mean
from jepa.evaluation.statistics.rates import wilson


@dataclass(frozen=True)
class Discordance:
    """On how many problems only one of two succeeded, with the exact two-sided p-value of McNemar's test."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first_N: ArrayLike, second_N: ArrayLike) -> Discordance:
    """Returns the exact McNemar test of two success columns over the same problems.

    Where several random streams make success a rate, a problem counts for the one that is ahead on it: the sign test,
    of which McNemar's is the case of zeros and ones.

    Raises:
        ValueError: the columns are not equally long.
    """
    from statsmodels.stats.contingency_tables import mcnemar as exact_test

    first, second = _same_length(first_N, second_N)
    only_first, only_second = int((first > second).sum()), int((second > first).sum())
    if not only_first + only_second:
        return Discordance(0, 0, 1.0)
    p_value = float(exact_test([[0, only_first], [only_second, 0]], exact=True).pvalue)
    return Discordance(only_first, only_second, min(p_value, 1.0))


def paired_difference(first_N: ArrayLike, second_N: ArrayLike, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns the mean difference, second less first, with its bootstrap-t interval over the problems.

    Raises:
        ValueError: there are no problems, or not as many of the one as of the other.
    """
    first, second = _same_length(first_N, second_N)
    return bootstrap_mean(second - first, seed, resamples)


def paired_rate_difference(first_N: ArrayLike, second_N: ArrayLike, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns the difference of two success rates over the same problems.

    Of zeros and ones the interval is Newcombe's for paired rates (1998, method 10): Wilson's of both, put together by
    their correlation, so that a few problems that only one solved, or none, are no certainty. Rates over several random
    streams have the bootstrap-t interval of their differences.
    """
    first, second = _same_length(first_N, second_N)
    whole = np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all()
    if len(first) and whole:
        return _newcombe(first.astype(bool), second.astype(bool))
    if len(first) and (first == second).all():
        most = wilson(0, len(first)).high  # of problems that tell the two apart
        return Estimate(0.0, -most, most, len(first))
    return paired_difference(first, second, seed, resamples)


def _newcombe(first_N: NDArray[np.bool_], second_N: NDArray[np.bool_]) -> Estimate:
    count = len(first_N)
    both, neither = int((first_N & second_N).sum()), int((~first_N & ~second_N).sum())
    only_first, only_second = int((first_N & ~second_N).sum()), int((~first_N & second_N).sum())
    one, other = wilson(both + only_first, count), wilson(both + only_second, count)
    correlated = float(both * neither - only_first * only_second)
    # Newcombe's correction keeps a correlation that few problems show from narrowing the interval.
    correlated = max(correlated - count / 2, 0.0) if correlated > 0 else correlated
    sides = (both + only_first) * (neither + only_second) * (both + only_second) * (neither + only_first)
    phi = correlated / np.sqrt(sides) if sides else 0.0

    def joined(ahead: float, behind: float) -> float:
        return float(np.sqrt(max(0.0, ahead**2 - 2 * phi * ahead * behind + behind**2)))

    value = (only_second - only_first) / count
    low = value - joined(other.value - other.low, one.high - one.value)
    high = value + joined(other.high - other.value, one.value - one.low)
    return Estimate(value, max(-1.0, low), min(1.0, high), count)


def interval_p_value(estimate: Estimate, freedom: float) -> float | None:
    """Returns the two-sided p-value of no difference that belongs to a 95 % interval: below 0.05 where it excludes 0.

    The interval's end towards 0 is t_0.975 standard errors away from the value, so the value is t_0.975 |v| / |v - end|
    of them away from 0 (Altman and Bland 2011), with the tails of Student's t. None where there is no interval, or one
    without a width, which says nothing of how sure it is.

    Args:
        estimate: a difference.
        freedom: degrees of it, 1 or more; infinity is the normal distribution's.
    """
    end = estimate.low if estimate.value > 0 else estimate.high
    half = abs(estimate.value - end)
    if not np.isfinite(half) or estimate.low == estimate.high:
        return None
    if estimate.value == 0:
        return 1.0
    return float(2 * stdtr(freedom, -stdtrit(freedom, 0.975) * abs(estimate.value) / half)) if half else None


def seeds_difference(first_SN: Floats, second_TN: Floats) -> Estimate:
    """Returns the difference of two recipes' means, with an interval over training seeds *and* problems.

    SE² = v_S / S + v_T / T + v_N / N, of the seeds' means and of the problems' mean differences, by Student's t with
    Satterthwaite's degrees of freedom. What seed and problem make together is in two of the terms, so that the interval
    is rather too wide than too narrow.

    Raises:
        ValueError: a recipe has fewer than two seeds, or the problems are not the same number.
    """
    if min(len(first_SN), len(second_TN)) < 2 or first_SN.shape[1] != second_TN.shape[1]:
        raise ValueError(f"two recipes need two seeds each on the same problems, got {first_SN.shape, second_TN.shape}")
    away_N = second_TN.mean(0) - first_SN.mean(0)
    parts = [(scores.mean(1).var(ddof=1) / len(scores), len(scores) - 1) for scores in (first_SN, second_TN)]
    if len(away_N) > 1:
        parts.append((away_N.var(ddof=1) / len(away_N), len(away_N) - 1))
    total = sum(part for part, _ in parts)
    value = float(away_N.mean())
    if total <= 0:
        return Estimate(value, value, value, len(away_N))
    freedom = total**2 / sum(part**2 / degrees for part, degrees in parts)
    half = float(stdtrit(freedom, 0.975) * np.sqrt(total))
    return Estimate(value, value - half, value + half, len(away_N))


def probability_of_improvement(
    first_SN: ArrayLike, second_TN: ArrayLike, seed: int, less_is_better: bool = False, resamples: int = RESAMPLES
) -> Estimate:
    """Returns how probably the second does better than the first on a problem, ties counting half.

    Agarwal et al. (2021): the mean over problems of the share of pairs of seeds in which the second is ahead. Of one
    seed each the interval is over the problems, by bootstrap-t; of several, seeds and problems are resampled together,
    and it is the percentile one. Where all problems say the same, resamples do, too: then it is Wilson's for as many
    wins, or losses, or the width that as many ties leave. Swapping the two gives 1 less the value.

    Args:
        first_SN: scores of the first, (S, N) or (N,).
        second_TN: scores of the second on the same problems.
        seed: of the resamples.
        less_is_better: whether a smaller score is the better one.
        resamples: R.
    """
    first, second = np.atleast_2d(np.asarray(first_SN, float)), np.atleast_2d(np.asarray(second_TN, float))
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"paired scores must be equally many, got {first.shape[1]} and {second.shape[1]}")
    if less_is_better:
        first, second = -first, -second
    ahead_STN = (second[None] > first[:, None]) + 0.5 * (second[None] == first[:, None])
    runs = len(first), len(second)
    problems = first.shape[1]
    if problems > 1 and (ahead_STN == ahead_STN.flat[0]).all():
        return _all_alike(float(ahead_STN.flat[0]), problems)
    if runs == (1, 1):
        whole = bootstrap_mean(ahead_STN[0, 0], seed, resamples)
        return Estimate(whole.value, _clipped(whole.low), _clipped(whole.high), whole.n)
    weights = [bootstrap_weights(count, seed + at, resamples) for at, count in enumerate(ahead_STN.shape)]
    sums_R = np.einsum("rs,rt,rn,stn->r", *weights, ahead_STN, optimize=True)
    return percentile_interval(float(ahead_STN.mean()), sums_R / ahead_STN.size, first.shape[1])


def _all_alike(ahead: float, problems: int) -> Estimate:
    if ahead == 0.5:
        most = wilson(0, problems).high / 2  # of problems that tell the two apart, each moves the value by a half
        return Estimate(0.5, 0.5 - most, 0.5 + most, problems)
    return wilson(round(ahead * problems), problems)


def _clipped(end: float) -> float:
    return float(np.clip(end, 0.0, 1.0))


def _same_length(first_N: ArrayLike, second_N: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(first_N, dtype=np.float64), np.asarray(second_N, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired scores must be equally many, got {len(first)} and {len(second)}")
    return first, second
