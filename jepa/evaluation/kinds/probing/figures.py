"""R², mean square error and Pearson's r of readings, by quantity, with intervals over episodes.

All readings of the same frames are resampled alike and at once.
Shapes: N frames, Q targets, G episodes, R resamples.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from jepa.evaluation.statistics import (
    Estimate,
    bootstrap_weights,
    group_moments,
    percentile_interval,
    regression_fit,
)

Floats = NDArray[np.float64]
METRICS = ("mse", "r2", "pearson_r")


class Readings:
    """Judges what is read of the same frames: the true targets, z-scored, and their resamples."""

    def __init__(self, true_NQ: NDArray[np.float32], episode_N: NDArray[np.int64], seed: int) -> None:
        true = true_NQ.astype(np.float64)
        # Centring first keeps the sums of squares small, so that they lose no digits; no measure depends on it.
        self.centre_Q = true.mean(0)
        self.true_NQ, self.episode_N = true - self.centre_Q, episode_N
        self.groups = len(np.unique(episode_N))
        self.weights_RG = bootstrap_weights(self.groups, seed)

    def estimates(self, read_NQ: NDArray[np.float32], columns: Mapping[str, slice]) -> dict[tuple[str, str], Estimate]:
        """Returns the figures by quantity and metric, each the mean over the quantity's targets.

        A target that never varies has no R² and no r, and is left out of that mean; where all are, there is no figure.
        """
        moments = group_moments(self.true_NQ, read_NQ.astype(np.float64) - self.centre_Q, self.episode_N)
        whole_6Q = moments.sum(0)
        resampled = (self.weights_RG @ moments.reshape(self.groups, -1)).reshape(-1, *whole_6Q.shape)
        whole, sampled = regression_fit(whole_6Q, whole_6Q), regression_fit(resampled, whole_6Q)
        found = {}
        for name, column in columns.items():
            for metric in METRICS:
                value = float(_mean(getattr(whole, metric)[column]))
                if np.isfinite(value):
                    values_R = _mean(getattr(sampled, metric)[:, column])
                    found[name, metric] = percentile_interval(value, values_R, self.groups)
        return found


def _mean(values: Floats) -> Floats:
    """Returns the mean over the last axis of what is defined, NaN where nothing is."""
    defined = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0.0).sum(-1) / defined.sum(-1))
