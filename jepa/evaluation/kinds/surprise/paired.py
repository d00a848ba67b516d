"""Statistics of twins: an episode with the event and the same episode without it.

Shapes: G episodes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jepa.evaluation.statistics import Estimate, auroc_intervals, score_interval, without_interval


def pairwise_accuracy(struck_G: ArrayLike, control_G: ArrayLike) -> Estimate:
    """Returns the share of episodes in which the struck twin is the more surprising one, a tie counting half."""
    difference = np.asarray(struck_G) - np.asarray(control_G)
    wins = float((difference > 0).sum() + 0.5 * (difference == 0).sum())
    return score_interval(wins / len(difference), len(difference), len(difference))


def wilcoxon_p(struck_G: ArrayLike, control_G: ArrayLike) -> Estimate:
    """Returns the p-value of Wilcoxon's signed-rank test that struck twins are the more surprising ones (one-sided).

    Twins without a difference take no part; where none differ the p-value is 1. A p-value has no interval.
    """
    from scipy.stats import wilcoxon  # half a second, which nothing else here needs

    difference = np.asarray(struck_G) - np.asarray(control_G)
    p = float(wilcoxon(difference, alternative="greater").pvalue) if difference.any() else 1.0
    return without_interval(p, len(difference))


def rank_biserial(struck_G: ArrayLike, control_G: ArrayLike) -> Estimate:
    """Returns the matched-pairs rank-biserial correlation, (R₊ - R₋) / (R₊ + R₋), with R the sums of signed ranks.

    It is that of Wilcoxon's test: 1 where every struck twin is the more surprising one, 0 where neither is. R₊ - R₋ is
    the sum of sign(d_i + d_j) over the pairs i ≤ j, so that (1 + r) / 2 is a rate of pairs, whose interval is that of
    an AUROC with these parts. One pair that differs alone has no interval.
    """
    difference = np.asarray(struck_G, dtype=np.float64) - np.asarray(control_G, dtype=np.float64)
    n, moved = len(difference), difference[difference != 0]
    if not len(moved):
        return without_interval(0.0, n)
    # Exactly opposite differences share a rank, and the sign of their sum is 0: the same as mean ranks.
    sign_GG = np.sign(moved[:, None] + moved)
    value = float(np.triu(sign_GG).sum()) / (len(moved) * (len(moved) + 1) / 2)
    if len(moved) == 1:
        return without_interval(value, n)
    low, high = (2 * float(end[0]) - 1 for end in auroc_intervals(1 + sign_GG.mean(1, keepdims=True).T))
    return Estimate(value, min(low, value), max(high, value), n)


def rate_over_episodes(alarms: Sequence[NDArray[np.bool_]]) -> Estimate:
    """Returns the share of frames with an alarm, of episodes whose frames hang together.

    Wilson's interval at the number of independent frames that these are worth: their number over the design effect,
    which is the variance of the share between episodes over that of as many independent frames, and 1 at least.
    """
    frames = np.array([len(one) for one in alarms], dtype=np.float64)
    raised = np.array([one.sum() for one in alarms], dtype=np.float64)
    total, episodes = frames.sum(), len(alarms)
    rate = float(raised.sum() / total)
    independent = rate * (1 - rate) / total
    between = ((raised - rate * frames) ** 2).sum() / total**2 * episodes / max(episodes - 1, 1)
    effect = max(1.0, float(between / independent)) if independent else 1.0
    return score_interval(rate, float(total) / effect, episodes)
