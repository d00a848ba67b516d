"""The area under the ROC curve, and its interval for scores that come in pairs.

Shapes: M samples, each with an interval of its own, G pairs.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, stdtrit

from jepa.evaluation.statistics.estimates import Z_95, Estimate, Floats, without_interval


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


def paired_auroc(positive_G: ArrayLike, negative_G: ArrayLike) -> Estimate:
    """Returns the AUROC of twins (an episode with and without the event) and its interval over the episodes.

    One pair alone has no interval, and neither have scores that are not all numbers.

    Raises:
        ValueError: there are no scores, or not as many of the one kind as of the other.
    """
    positive, negative = np.asarray(positive_G, dtype=np.float64), np.asarray(negative_G, dtype=np.float64)
    count = len(positive)
    if count != len(negative):
        raise ValueError(f"paired scores must be equally many, got {count} and {len(negative)}")
    value = auroc(positive, negative)
    if count == 1 or not (np.isfinite(positive).all() and np.isfinite(negative).all()):
        return without_interval(value, count)
    low_M, high_M = auroc_intervals(pair_parts(positive, negative)[None])
    return Estimate(value, min(float(low_M[0]), value), max(float(high_M[0]), value), count)


def pair_parts(positive_G: Floats, negative_G: Floats) -> Floats:
    """Returns each pair's first-order part, P(its positive > negative) + P(positive > its negative), (G,).

    Their mean is twice the AUROC, and their variance has what the two scores of a pair have in common in it.
    """
    high, low = np.sort(positive_G), np.sort(negative_G)
    above_G = (np.searchsorted(low, positive_G, "left") + np.searchsorted(low, positive_G, "right")) / 2
    below_G = (np.searchsorted(high, negative_G, "left") + np.searchsorted(high, negative_G, "right")) / 2
    return np.asarray((above_G + len(high) - below_G) / len(low), dtype=np.float64)


def auroc_intervals(parts_MG: Floats) -> tuple[Floats, Floats]:
    """Returns the ends (M,) of intervals for areas with these parts of their pairs: logit(A) ± t SE / (A (1 - A)).

    SE is DeLong's (1988) for pairs. On the logit scale the interval leans away from 1 as the area's distribution does,
    where the plain one covers too little (Pepe 2003). Where every positive exceeds every negative no error
    can be estimated: then it is Wilson's for G successes of G, for any way to draw G of them in disjoint pairs is G
    independent trials, all won.
    """
    count = parts_MG.shape[1]
    area_M = parts_MG.mean(1) / 2
    error_M = parts_MG.std(1, ddof=1) / np.sqrt(count)
    with np.errstate(invalid="ignore", divide="ignore"):
        half_M = float(stdtrit(count - 1, 0.975)) * error_M / (area_M * (1 - area_M))
        low_M, high_M = expit(logit(area_M) - half_M), expit(logit(area_M) + half_M)
    won, share = area_M > 1 - 1e-12, Z_95**2 / (count + Z_95**2)
    lost = area_M < 1e-12
    low_M = np.where(won, 1 - share, np.where(lost, 0.0, low_M))
    high_M = np.where(lost, share, np.where(won, 1.0, high_M))
    return low_M, high_M
