"""Whether two figures of independent samples differ: an interval of the difference, and a probability.

scipy.stats and statsmodels are imported where a test is made: it takes half a second, and an evaluation without shifts
makes none.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

CONFIDENCE = 1.96
"""Standard deviations of the intervals that figures have."""
EXACT, WELCH, NORMAL = "Fisher's exact", "Welch's", "normal, of the intervals"


class Figure(NamedTuple):
    """A figure, its 95 % interval and the samples behind it."""

    value: float
    low: float | None
    high: float | None
    n: int


class Difference(NamedTuple):
    """What lies between two figures; None is what nobody knows."""

    value: float
    low: float | None
    high: float | None
    p: float | None
    test: str | None


def difference(own: Figure, usual: Figure, rate: bool = False) -> Difference:
    """Returns how far a figure is from another one of other samples.

    The interval is made of theirs by the method of variance estimates recovery (Zou and Donner 2008, equation 6), which
    for Wilson's intervals is Newcombe's: lopsided intervals, such as those of rates near 1, keep their sides. The test
    of two rates is Fisher's; that of all else asks how many half-widths, on the side of zero, the difference is.

    Args:
        own: the figure.
        usual: the one that is taken off.
        rate: whether both are shares of independent samples.
    """
    gap = own.value - usual.value
    if None in (own.low, own.high, usual.low, usual.high):
        return Difference(gap, None, None, None, None)
    down = math.hypot(own.value - float(own.low or 0), float(usual.high or 0) - usual.value)
    up = math.hypot(float(own.high or 0) - own.value, usual.value - float(usual.low or 0))
    if rate and all(_is_count(one) for one in (own, usual)):
        return Difference(gap, gap - down, gap + up, _fisher(own, usual), EXACT)
    half = down if gap > 0 else up
    if not half:  # neither figure varies, so that nothing says by how much another sample would differ
        return Difference(gap, gap - down, gap + up, None if gap else 1.0, None if gap else NORMAL)
    return Difference(gap, gap - down, gap + up, float(2 * ndtr(-CONFIDENCE * abs(gap) / half)), NORMAL)


def mean_difference(own: Sequence[float], usual: Sequence[float]) -> Difference:
    """Returns how far the mean of some samples is from that of others, by Welch's test.

    Where neither varies nothing is known of others, unless they are the same.
    """
    gap = float(np.mean(own) - np.mean(usual))
    if min(len(own), len(usual)) < 2:
        return Difference(gap, None, None, None, None)
    if max(np.ptp(own), np.ptp(usual)) == 0:
        return Difference(gap, gap, gap, None if gap else 1.0, None if gap else WELCH)
    from scipy.stats import ttest_ind

    found = ttest_ind(own, usual, equal_var=False)
    low, high = found.confidence_interval(0.95)
    return Difference(gap, float(low), float(high), float(found.pvalue), WELCH)


def holm(probabilities: list[float | None]) -> list[float | None]:
    """Returns probabilities corrected for their number by Holm's method; those that are not known play no part."""
    known = [place for place, p in enumerate(probabilities) if p is not None]
    corrected: list[float | None] = [None] * len(probabilities)
    if known:
        from statsmodels.stats.multitest import multipletests

        found = multipletests([probabilities[place] for place in known], method="holm")[1]
        for place, p in zip(known, found.tolist(), strict=True):
            corrected[place] = float(p)
    return corrected


def _is_count(figure: Figure) -> bool:
    count = figure.value * figure.n
    return abs(count - round(count)) < 1e-6


def _fisher(own: Figure, usual: Figure) -> float:
    from scipy.stats import fisher_exact

    table = [[round(one.value * one.n), one.n - round(one.value * one.n)] for one in (own, usual)]
    return float(fisher_exact(table).pvalue)
