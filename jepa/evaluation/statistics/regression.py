"""How well a prediction follows its target, with intervals over groups of samples.

Shapes: N samples, D dimensions, G groups, R resamples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jepa.evaluation.statistics.estimates import RESAMPLES, Estimate, Floats, bootstrap_weights, percentile_interval


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
