"""Means of one value a group, with intervals that cover where values are skewed, or zero for most groups.

Shapes: M samples, each with an interval of its own, G groups, R resamples.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from jepa.evaluation.statistics.estimates import RESAMPLES, Estimate, Floats, bootstrap_weights, without_interval

FEWEST_RESAMPLED = 5
"""Fewer groups than these say nothing of their distribution's shape: their interval is Student's."""
LEAST_SPREAD = 0.2
"""Least standard error of a resample, as a share of the sample's. Of a sample that is zero but for a few groups some
resamples hold zeros alone; without a floor the studentised mean of these would be infinite, and so the interval."""


def bootstrap_mean(values_G: ArrayLike, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns the mean of one value a group with its bootstrap-t interval.

    One group alone has no interval, and groups that are all alike have one without a width.

    Raises:
        ValueError: there are no values.
    """
    values = np.asarray(values_G, dtype=np.float64)
    count = len(values)
    if not count:
        raise ValueError("a mean needs at least one value")
    value = float(values.mean())
    if count == 1 or not np.isfinite(values).all():
        return without_interval(value, count)
    low_M, high_M = mean_intervals(values[None], bootstrap_weights(count, seed, resamples))
    return Estimate(value, min(float(low_M[0]), value), max(float(high_M[0]), value), count)


def mean_intervals(values_MG: Floats, weights_RG: Floats) -> tuple[Floats, Floats]:
    """Returns the ends (M,) of the means' bootstrap-t intervals, mean - t SE with t of the resamples' (m* - m) / SE*.

    Unlike a percentile interval it follows the skewness: the mean of a sample that caught few of the large values has
    a small standard error as well, and the studentised distribution knows that (Efron 1981; Hall 1988).

    Args:
        values_MG: finite, of at least two groups.
        weights_RG: how often each group occurs in each resample.
    """
    count = values_MG.shape[1]
    mean_M1 = values_MG.mean(1, keepdims=True)
    away_MG = values_MG - mean_M1
    # Deviations that are rounding alone would be studentised to noise.
    away_MG = np.where(np.abs(away_MG) > 1e-12 * np.abs(mean_M1), away_MG, 0.0)
    variance_M1 = (away_MG**2).sum(1, keepdims=True) / (count - 1) / count
    if count < FEWEST_RESAMPLED:
        least_M = np.full(len(values_MG), float(stdtrit(count - 1, 0.025)))
        most_M = -least_M
    else:
        away_MR = away_MG @ weights_RG.T / count
        variance_MR = (away_MG**2 @ weights_RG.T / count - away_MR**2) / (count - 1)
        variance_MR = np.maximum(variance_MR, LEAST_SPREAD**2 * variance_M1)
        with np.errstate(invalid="ignore", divide="ignore"):
            t_MR = np.nan_to_num(away_MR / np.sqrt(variance_MR))
        least_M, most_M = np.quantile(t_MR, [0.025, 0.975], axis=1)
    error_M, mean_M = np.sqrt(variance_M1[:, 0]), mean_M1[:, 0]
    return mean_M - np.maximum(most_M, 0) * error_M, mean_M - np.minimum(least_M, 0) * error_M
