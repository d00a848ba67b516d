"""Intervals of figures that are no mean of groups, such as a rank: groups are left out, never repeated.

Shapes: G groups, J blocks of groups.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from jepa.evaluation.statistics.estimates import Estimate, Key, without_interval

T = TypeVar("T")


def jackknife_interval(value: float, left_out_J: ArrayLike, n: int, low: float, high: float) -> Estimate:
    """Returns the estimate with the jackknife's interval, value ± t SE, SE² = (J-1)/J Σ_j (θ_j - mean θ)².

    For figures that are no mean of groups, such as a rank: no group is ever repeated. One block has no interval.

    Args:
        value: of all groups.
        left_out_J: θ_j, the same figure without block j; blocks of groups are about equally large.
        n: groups.
        low: least possible value.
        high: greatest possible value.
    """
    left_out = np.asarray(left_out_J, dtype=np.float64)
    blocks = len(left_out)
    if blocks < 2 or not np.isfinite(left_out).all():
        return without_interval(value, n)
    spread = float(np.sqrt((blocks - 1) / blocks * ((left_out - left_out.mean()) ** 2).sum()))
    half = float(stdtrit(blocks - 1, 0.975)) * spread
    return Estimate(float(value), max(low, float(value) - half), min(high, float(value) + half), n)


def jackknife_blocks(groups: int, blocks: int) -> NDArray[np.bool_]:
    """Returns which groups (J, G) each block leaves in: every group is left out once, J is at most `blocks`."""
    blocks = min(groups, blocks)
    kept_JG: NDArray[np.bool_] = np.arange(groups) % blocks != np.arange(blocks)[:, None]
    return kept_JG


def jackknifed(
    groups: Sequence[T],
    figures: Callable[[Sequence[T]], Mapping[Key, float]],
    blocks: int,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> dict[Key, Estimate]:
    """Returns several figures of all groups with jackknife intervals; a figure that is not finite is left out.

    Args:
        groups: what the figures are made of.
        figures: of some of the groups.
        blocks: most blocks of groups that are left out in turn.
        ranges: least and greatest value by metric; 0 and infinity where none are given.
    """
    whole, count = figures(groups), len(groups)
    left_out = [
        figures([one for one, kept in zip(groups, kept_G, strict=True) if kept])
        for kept_G in (jackknife_blocks(count, blocks) if count > 1 else ())
    ]
    found = {}
    for key, value in whole.items():
        if not np.isfinite(value):
            continue
        # A figure that rounding takes beyond its range is its own limit.
        least, most = (ranges or {}).get(key[0], (0.0, np.inf))
        others = [one.get(key, np.nan) for one in left_out]
        found[key] = jackknife_interval(value, others, count, min(least, value), max(most, value))
    return found
