"""A value with its interval, and the two ways to take an interval from many values of the same figure."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jepa.core.seeds import numpy_generator

Z_95 = 1.959963984540054
RESAMPLES = 2000
MOST_KEPT = 2**22
"""Values of the weights that are kept for the next figure, 32 MiB; of more groups they are drawn again for each."""

Floats = NDArray[np.float64]
Key = tuple[str, str | None]
"""Metric and quantity of a figure."""


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % interval and the number of samples behind it."""

    value: float
    low: float
    high: float
    n: int


def without_interval(value: float, n: int) -> Estimate:
    """Returns the estimate of a value about whose error nothing is known."""
    return Estimate(float(value), float("nan"), float("nan"), n)


def bootstrap_weights(groups: int, seed: int, resamples: int = RESAMPLES) -> Floats:
    """Returns how often each group occurs in each resample, (R, G); every row sums to G.

    The many figures of one unit have the same groups and seed, for which they are drawn once: the array is read-only.
    """
    draw = _kept_weights if groups * resamples <= MOST_KEPT else _kept_weights.__wrapped__
    return draw(groups, seed, resamples)


@lru_cache(maxsize=2)
def _kept_weights(groups: int, seed: int, resamples: int) -> Floats:
    rng = numpy_generator(seed)
    weights_RG = rng.multinomial(groups, np.full(groups, 1 / groups), size=resamples).astype(np.float64)
    weights_RG.flags.writeable = False
    return weights_RG


def percentile_interval(value: float, resampled_R: ArrayLike, n: int) -> Estimate:
    """Returns the estimate whose interval is the central 95 % of the resampled values, undefined ones left out.

    The resampled values must scatter about the value: where repeats of groups shift them, this is the wrong interval.
    """
    finite = np.asarray(resampled_R, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return without_interval(value, n)
    low, high = np.quantile(finite, [0.025, 0.975])
    # Where groups are alike the sums of all and of resamples differ in the last digit.
    return Estimate(float(value), min(float(low), float(value)), max(float(high), float(value)), n)
