"""Randomness as a pure function of a key: the same on every machine and numpy version, and cheap for a million values.

Keys come from `jepa.core.seeds.derive_key`.
The mixing function is SplitMix64 (Steele, Lea and Flood 2014), made for successive inputs.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

ONE = np.uint64(1)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
FEW = 1024
"""Values of a permutation whose steps are kept: a loader permutes the same few counts for every clip."""


def mix(key: int, values: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Returns 64 well-mixed bits for each value, in the values' shape."""
    return _finish(key, (values.astype(np.uint64) + ONE) * GOLDEN)


def uniform(key: int, values: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Returns a number of [0, 1) for each value."""
    return (mix(key, values) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permutation(key: int, count: int) -> NDArray[np.int64]:
    """Returns a permutation of 0 … count-1."""
    return _finish(key, _few_steps(count) if count <= FEW else _steps(count)).argsort(kind="stable")


def _finish(key: int, steps: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = steps + np.uint64(key)
    bits = (bits ^ (bits >> SHIFTS[0])) * FACTORS[0]
    bits = (bits ^ (bits >> SHIFTS[1])) * FACTORS[1]
    return bits ^ (bits >> SHIFTS[2])


def _steps(count: int) -> NDArray[np.uint64]:
    """Returns what the generator's state has grown by at each of so many values."""
    return np.arange(1, count + 1, dtype=np.uint64) * GOLDEN


_few_steps = lru_cache(maxsize=64)(_steps)
