"""Randomness as a pure function of a key: the same on every machine and numpy version, and cheap for a million values.

The mixing function is SplitMix64 (Steele, Lea and Flood 2014), made for successive inputs.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def derive_key(*parts: object) -> int:
    """Returns a 64-bit key for a tuple of names and numbers; different tuples have unrelated keys."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def mix(key: int, values: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Returns 64 well-mixed bits for each value, in the values' shape."""
    with np.errstate(over="ignore"):
        bits = np.uint64(key) + (values.astype(np.uint64) + np.uint64(1)) * GOLDEN
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))


def uniform(key: int, values: NDArray[np.integer]) -> NDArray[np.float64]:
    """Returns a number of [0, 1) for each value."""
    return (mix(key, values) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permutation(key: int, count: int) -> NDArray[np.int64]:
    """Returns a permutation of 0 … count-1."""
    return np.argsort(mix(key, np.arange(count)), kind="stable")
