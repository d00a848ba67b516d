"""How well a prediction follows its target, with intervals over groups of samples.

Shapes: N samples, D dimensions, G groups, R resamples.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jepa.evaluation.statistics.estimates import RESAMPLES, Estimate, Floats, bootstrap_weights, percentile_interval

MEASURES = ("mse", "r2", "pearson_r")


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


def regression_fit(moments: Floats, whole_6D: Floats, constant_D: NDArray[np.bool_]) -> RegressionFit:
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
    varies_y = ~constant_D & (variance_y > 1e-10 * np.maximum(yy, 1e-300))
    variance_y = np.where(varies_y, variance_y, np.nan)
    variance_p = np.where(variance_p > 1e-10 * np.maximum(pp, 1e-300), variance_p, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return RegressionFit(
            squared_error / n, 1 - squared_error / variance_y, covariance / np.sqrt(variance_y * variance_p)
        )


class RegressionSample:
    """Targets of samples in groups (episodes), and resamples of the groups, by which all predictions are judged.

    Frames of one episode are alike (a door does not move within it), so episodes and not frames are resampled.
    """

    def __init__(
        self,
        true_ND: ArrayLike,
        group_N: ArrayLike,
        seed: int,
        resamples: int = RESAMPLES,
        constant_D: ArrayLike | None = None,
    ) -> None:
        """Takes the targets.

        Args:
            true_ND: the targets.
            group_N: of each sample.
            seed: of the resamples.
            resamples: how many.
            constant_D: dimensions that count as constant even where they vary here, because nothing could be learned of
                them; by default none.
        """
        self.true_ND, self.group_N = np.asarray(true_ND, dtype=np.float64), np.asarray(group_N)
        shape = self.true_ND.shape[1:]
        self._constant_D = np.zeros(shape, bool) if constant_D is None else np.asarray(constant_D, dtype=bool)
        # Centring first keeps the sums of squares small, so that they lose no digits; no measure depends on it.
        self._centre_D = self.true_ND.mean(0)
        self._groups = len(np.unique(self.group_N))
        self._weights_RG = bootstrap_weights(self._groups, seed, resamples)

    def estimates(self, predicted_ND: ArrayLike, columns: Mapping[str, slice]) -> dict[tuple[str, str], Estimate]:
        """Returns `mse`, `r2` and `pearson_r`, averaged over dimensions, with intervals over groups; `n` counts these.

        A dimension for which a measure is undefined, because its target is constant, is left out of that measure's
        average; where none is left the value is NaN.

        Args:
            predicted_ND: of the targets.
            columns: dimensions that are averaged, by a name; figures are by name and measure.
        """
        predicted = np.asarray(predicted_ND, dtype=np.float64) - self._centre_D
        moments = group_moments(self.true_ND - self._centre_D, predicted, self.group_N)
        whole_6D = moments.sum(0)
        resampled = (self._weights_RG @ moments.reshape(self._groups, -1)).reshape(-1, *whole_6D.shape)
        whole, sampled = (regression_fit(sums, whole_6D, self._constant_D) for sums in (whole_6D, resampled))
        return {
            (name, measure): percentile_interval(
                float(_mean(getattr(whole, measure)[column])), _mean(getattr(sampled, measure)[:, column]), self._groups
            )
            for name, column in columns.items()
            for measure in MEASURES
        }


def bootstrap_regression(
    true_ND: ArrayLike, predicted_ND: ArrayLike, group_N: ArrayLike, seed: int, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Returns `mse`, `r2` and `pearson_r` of all dimensions together, as `RegressionSample.estimates` does."""
    found = RegressionSample(true_ND, group_N, seed, resamples).estimates(predicted_ND, {"all": slice(None)})
    return {measure: estimate for (_, measure), estimate in found.items()}


def _mean(values: Floats) -> Floats:
    """Returns the mean over the last axis of what is defined, NaN where nothing is."""
    defined = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0.0).sum(-1) / defined.sum(-1))
