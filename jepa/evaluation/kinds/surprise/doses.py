"""How strong a perturbation must be to be noticed: the strength at which half of the events raise an alarm.

Shapes: G episodes; S strengths in ascending order, the first of them 0; R resamples.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jepa.evaluation.statistics import Estimate, bootstrap_weights

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
HALF = 0.5


def half_noticed(strengths_S: Sequence[float], noticed_GS: Flags, struck_GS: Flags, seed: int) -> Estimate | None:
    """Returns the strength at which half of the events are noticed, with its interval over episodes.

    The share of noticed events at each strength is made to rise by isotonic regression, and followed along straight
    lines. Below the least strength that was tried nothing but false alarms is known: a value there is an upper bound,
    and a low end of the interval there is 0. None where half are noticed at no strength that was tried; an end of the
    interval that lies beyond them is NaN.

    Args:
        strengths_S: the first of them 0, where the share noticed is that of false alarms.
        noticed_GS: which events raised an alarm.
        struck_GS: which episodes were struck; the others count nowhere.
        seed: of the interval.
    """
    tried_S, held_G = struck_GS.any(axis=0), struck_GS[:, 1:].any(axis=1)
    strengths = np.asarray(strengths_S, dtype=np.float64)[tried_S]
    noticed_GS, struck_GS = noticed_GS[held_G][:, tried_S], struck_GS[held_G][:, tried_S]
    episodes = len(struck_GS)
    if not episodes:
        return None
    weights_RG = np.concatenate([np.ones((1, episodes)), bootstrap_weights(episodes, seed)])
    count_RS = weights_RG @ struck_GS.astype(np.float64)
    rate_RS = weights_RG @ (noticed_GS & struck_GS).astype(np.float64) / np.maximum(count_RS, 1)
    crossing_R = crossings(strengths, isotonic(rate_RS, count_RS))
    if not np.isfinite(crossing_R[0]):
        return None
    value, resampled = float(crossing_R[0]), np.sort(crossing_R[1:])
    low, high = (float(resampled[round(share * (len(resampled) - 1))]) for share in (0.025, 0.975))
    if low < strengths[1]:
        low = 0.0
    ends = min(low, value), max(high, value) if np.isfinite(high) else float("nan")
    return Estimate(value, *ends, episodes)


def isotonic(rate_RS: Floats, count_RS: Floats) -> Floats:
    """Returns each row's nearest sequence that never falls, weighed by the counts: max over i ≤ s of min over j ≥ s.

    What stands in these extremes is the mean of strengths i … j (Robertson, Wright and Dykstra 1988, section 1.4).
    """
    rows, size = rate_RS.shape
    count = np.concatenate([np.zeros((rows, 1)), np.cumsum(count_RS, axis=1)], axis=1)
    total = np.concatenate([np.zeros((rows, 1)), np.cumsum(rate_RS * count_RS, axis=1)], axis=1)
    found = np.empty_like(rate_RS)
    for s in range(size):
        means = [
            [(total[:, j + 1] - total[:, i]) / np.maximum(count[:, j + 1] - count[:, i], 1) for j in range(s, size)]
            for i in range(s + 1)
        ]
        found[:, s] = np.max([np.min(of_one, axis=0) for of_one in means], axis=0)
    return found


def crossings(strengths_S: Floats, rate_RS: Floats) -> Floats:
    """Returns where each row, which never falls, comes to a half along straight lines; infinity where it does not."""
    reached_RS = rate_RS >= HALF
    after_R = reached_RS.argmax(axis=1)
    before_R, rows = np.maximum(after_R - 1, 0), np.arange(len(rate_RS))
    low_R, high_R = rate_RS[rows, before_R], rate_RS[rows, after_R]
    share_R = np.where(high_R > low_R, (HALF - low_R) / np.where(high_R > low_R, high_R - low_R, 1), 0.0)
    at_R = strengths_S[before_R] + share_R * (strengths_S[after_R] - strengths_S[before_R])
    return np.where(reached_RS.any(axis=1), at_R, np.inf)
