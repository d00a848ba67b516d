"""Figures over training seeds: the interquartile mean of Agarwal et al., "Deep RL at the Edge of the Statistical
Precipice" (2021).

Shapes: S seeds, K tasks (cells of one recipe: a kind of goal at an offset …), R resamples.
"""

import numpy as np
from numpy.typing import ArrayLike

from jepa.evaluation.statistics.estimates import (
    RESAMPLES,
    Estimate,
    Floats,
    bootstrap_weights,
    percentile_interval,
    without_interval,
)


def interquartile_mean(scores_SK: ArrayLike, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns the mean of the middle half of all seeds' scores of all tasks, with its interval over the seeds.

    Tasks are the strata: each keeps its share of the scores. A seed is one model, whose scores of all tasks are alike
    good or bad, so a resample takes them along together. One seed has no interval.

    Args:
        scores_SK: (S, K), or (S,) of one task.
        seed: of the resamples.
        resamples: R.

    Raises:
        ValueError: there are no scores.
    """
    scores = np.asarray(scores_SK, dtype=np.float64)
    scores = scores[:, None] if scores.ndim == 1 else scores
    count = len(scores)
    if not scores.size:
        raise ValueError("an interquartile mean needs at least one score")
    value = float(_middle_mean(scores.reshape(1, -1))[0])
    if count == 1 or not np.isfinite(scores).all():
        return without_interval(value, count)
    drawn_RS = np.repeat(
        np.tile(np.arange(count), resamples), bootstrap_weights(count, seed, resamples).astype(np.int64).ravel()
    ).reshape(resamples, count)
    return percentile_interval(value, _middle_mean(scores[drawn_RS].reshape(resamples, -1)), count)


def _middle_mean(values_RN: Floats) -> Floats:
    """Returns the mean of each row without its lowest and highest quarter, rounded down."""
    from scipy.stats import trim_mean  # a third of a second to import, which commands that show no figure are spared

    return np.asarray(trim_mean(values_RN, 0.25, axis=1), dtype=np.float64)
