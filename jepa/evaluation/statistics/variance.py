"""Where the scatter of scores comes from: training seeds, random streams of a planner, problems, and what these make
together.

Shapes: S seeds, P streams, N problems.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from jepa.evaluation.statistics.estimates import Z_95, Floats

FACTORS = ("seed", "stream", "problem")
DETECTED = Z_95 + 0.8416212335729143
"""Standard errors that a true difference needs to be found at the 5 % level in 80 % of all comparisons."""


@dataclass(frozen=True)
class VarianceSplit:
    """Components of variance of one score in a crossed design, and what they mean for a comparison."""

    components: Mapping[tuple[str, ...], float]
    """by the factors that make them together; the last, of all factors, has what is left in it"""
    levels: Mapping[str, int]
    """of each factor with more than one"""
    mean: float

    @property
    def total(self) -> float:
        """The variance of one score."""
        return sum(self.components.values())

    def share(self, *factors: str) -> float:
        """Returns the part of the total that these factors make together, NaN where nothing varies."""
        return self.components[factors] / self.total if self.total > 0 else float("nan")

    def mean_error(self, **levels: int) -> float:
        """Returns the standard error of a mean over other seeds, streams and problems, as many as are given."""
        return float(np.sqrt(sum(self._parts({**self.levels, **levels}).values())))

    def difference_error(self, **levels: int) -> float:
        """Returns the standard error of the difference of two recipes on the same problems and streams.

        What streams and problems make without the seed is the same for both and drops out.
        """
        parts = self._parts({**self.levels, **levels})
        return float(np.sqrt(2 * sum(part for factors, part in parts.items() if "seed" in factors)))

    def detectable(self, **levels: int) -> float:
        """Returns the difference that is found at the 5 % level in 80 % of all comparisons."""
        return DETECTED * self.difference_error(**levels)

    def _parts(self, levels: Mapping[str, int]) -> dict[tuple[str, ...], float]:
        return {
            factors: component / prod(levels[factor] for factor in factors)
            for factors, component in self.components.items()
        }


def variance_split(scores_SPN: ArrayLike) -> VarianceSplit | None:
    """Returns the components of variance by the method of moments, of a crossed design with one score a cell.

    All effects are random; the expected mean square of some factors is the sum of σ² of all sets that hold them, times
    the levels of the factors that these lack (Searle, Casella and McCulloch 1992, chapter 4). An estimate below 0 is 0.
    Factors of one level tell nothing and are left out. None without two seeds and another factor that varies.

    Args:
        scores_SPN: finite, (S, P, N).
    """
    scores = np.asarray(scores_SPN, dtype=np.float64)
    kept = [axis for axis, size in enumerate(scores.shape) if size > 1]
    if scores.shape[0] < 2 or len(kept) < 2 or not np.isfinite(scores).all():
        return None
    names = [FACTORS[axis] for axis in kept]
    scores = scores.squeeze(axis=tuple(axis for axis in range(3) if axis not in kept))
    axes = range(scores.ndim)
    sets = list(chain.from_iterable(combinations(axes, size) for size in range(1, scores.ndim + 1)))
    squares = {own: _mean_square(scores, own) for own in sets}
    found: dict[tuple[int, ...], float] = {}
    for own in reversed(sets):
        above = [other for other in found if set(own) < set(other)]
        rest = sum(found[other] * _size(scores, other) for other in above)
        found[own] = (squares[own] - rest) / _size(scores, own)
    return VarianceSplit(
        components={tuple(names[axis] for axis in own): max(0.0, found[own]) for own in sets},
        levels=dict(zip(names, scores.shape, strict=True)),
        mean=float(scores.mean()),
    )


def _mean_square(scores: Floats, own: tuple[int, ...]) -> float:
    """Returns the mean square of what some factors make together beyond what fewer of them make."""
    others = tuple(axis for axis in range(scores.ndim) if axis not in own)
    effect = scores.mean(axis=others, keepdims=True)
    for axis in own:
        effect = effect - effect.mean(axis=axis, keepdims=True)
    freedom = prod(scores.shape[axis] - 1 for axis in own)
    return float(np.square(effect).sum() * _size(scores, own) / freedom)


def _size(scores: Floats, own: tuple[int, ...]) -> int:
    """Returns how many scores share one level of each of some factors."""
    return prod(size for axis, size in enumerate(scores.shape) if axis not in own)
