"""Count, mean, spread and range of the rows of an array, which can be merged.

Shapes: n rows, d dimensions. Merging follows Chan, Golub and LeVeque (1979): no cancellation, however large the mean.
"""

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveInt, model_validator

from jepa.core.config import Config


class Moments(Config):
    """Moments of n rows of d numbers."""

    count: PositiveInt
    """number of rows"""
    mean: tuple[float, ...]
    """mean of each dimension"""
    squares: tuple[NonNegativeFloat, ...]
    """sum of squared deviations from the mean"""
    low: tuple[float, ...]
    """smallest value"""
    high: tuple[float, ...]
    """largest value"""

    @model_validator(mode="after")
    def _of_one_size(self) -> "Moments":
        if len({len(self.mean), len(self.squares), len(self.low), len(self.high)}) > 1:
            raise ValueError("mean, squares, low and high are not of one size")
        return self

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> "Moments":
        """Returns the moments of an array (n, d), n >= 1, computed in double precision."""
        values = rows.astype(np.float64)
        mean = values.mean(axis=0)
        return cls(
            count=len(values),
            mean=_floats(mean),
            squares=_floats(np.square(values - mean).sum(axis=0)),
            low=_floats(values.min(axis=0)),
            high=_floats(values.max(axis=0)),
        )

    def merge(self, other: "Moments") -> "Moments":
        """Returns the moments of both sets of rows together."""
        count = self.count + other.count
        step = np.subtract(other.mean, self.mean)
        return Moments(
            count=count,
            mean=_floats(self.mean + step * (other.count / count)),
            squares=_floats(np.add(self.squares, other.squares) + step**2 * (self.count * other.count / count)),
            low=_floats(np.minimum(self.low, other.low)),
            high=_floats(np.maximum(self.high, other.high)),
        )

    @property
    def std(self) -> tuple[float, ...]:
        """Returns the standard deviation of each dimension (of the population, not of a sample)."""
        return tuple(math.sqrt(square / self.count) for square in self.squares)


def merge_all(first: dict[str, Moments], second: dict[str, Moments]) -> dict[str, Moments]:
    """Returns the moments of both by name; a name that only one has is kept as it is."""
    return {name: _merged(first.get(name), second.get(name)) for name in sorted(first.keys() | second.keys())}


def _merged(first: Moments | None, second: Moments | None) -> Moments:
    if first is None or second is None:
        known = first or second
        assert known is not None
        return known
    return first.merge(second)


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
