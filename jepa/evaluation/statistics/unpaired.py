"""Two figures of independent samples: how far they differ, and whether that may be chance.

scipy.stats is imported where a test is made: it takes a third of a second, and an evaluation without shifts makes none.
Differences are second less first.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jepa.evaluation.statistics.estimates import Estimate
from jepa.evaluation.statistics.paired import interval_p_value

EXACT, WELCH, NORMAL = "Fisher's exact", "Welch's", "normal, of the intervals"


class UnpairedTest(NamedTuple):
    """A difference with its 95 % interval and the p-value of none; None is what nobody knows."""

    value: float
    low: float | None
    high: float | None
    p_value: float | None
    test: str | None


def unpaired_difference(first: Estimate, second: Estimate) -> Estimate:
    """Returns the difference of two independent figures, whose interval is made of theirs; none where one has none.

    By the method of variance estimates recovery (Zou and Donner 2008, equation 6) an end is as far off as the ends of
    both together: √((v₂-l₂)² + (u₁-v₁)²) below, likewise above. Lopsided intervals, such as those of rates near 1, keep
    their sides; of Wilson's intervals it is Newcombe's.
    """
    value = second.value - first.value
    low = value - math.hypot(second.value - second.low, first.high - first.value)
    high = value + math.hypot(second.high - second.value, first.value - first.low)
    return Estimate(value, low, high, min(first.n, second.n))


def unpaired_test(first: Estimate, second: Estimate, rate: bool = False) -> UnpairedTest:
    """Returns the difference of two independent figures with a test: Fisher's of two rates, else that of the interval.

    Args:
        first: the figure that is taken off.
        second: the other one.
        rate: whether both are shares of independent samples.
    """
    found = unpaired_difference(first, second)
    if not math.isfinite(found.low) or not math.isfinite(found.high):
        return UnpairedTest(found.value, None, None, None, None)
    if rate and _is_count(first) and _is_count(second):
        return UnpairedTest(found.value, found.low, found.high, _fisher(first, second), EXACT)
    # Neither figure varies: nothing says by how much another sample would differ, unless they are the same.
    alike = found.low == found.high and not found.value
    p_value = 1.0 if alike else interval_p_value(found, math.inf)
    return UnpairedTest(found.value, found.low, found.high, p_value, None if p_value is None else NORMAL)


def welch_test(first: Sequence[float], second: Sequence[float]) -> UnpairedTest:
    """Returns the difference of the means of two samples, by Welch's test.

    Where neither varies nothing is known of others, unless they are the same.
    """
    value = float(np.mean(second) - np.mean(first))
    if min(len(first), len(second)) < 2:
        return UnpairedTest(value, None, None, None, None)
    if max(np.ptp(first), np.ptp(second)) == 0:
        return UnpairedTest(value, value, value, None if value else 1.0, None if value else WELCH)
    from scipy.stats import ttest_ind

    found = ttest_ind(second, first, equal_var=False)
    low, high = found.confidence_interval(0.95)
    return UnpairedTest(value, float(low), float(high), float(found.pvalue), WELCH)


def _is_count(rate: Estimate) -> bool:
    count = rate.value * rate.n
    return abs(count - round(count)) < 1e-6


def _fisher(first: Estimate, second: Estimate) -> float:
    from scipy.stats import fisher_exact

    table = [[round(one.value * one.n), one.n - round(one.value * one.n)] for one in (second, first)]
    return float(fisher_exact(table).pvalue)
