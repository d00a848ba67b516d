"""What others hand us becomes what we store: pixels, numbers and counts, each exact, scaled by a rule, or refused.

Environments, files and additions from outside this tree give arrays of any type. Every one of them passes through this
module before it is stored; a cast that would change a value without a word is nowhere else either.
Shapes: N rows, H × W pixels, d numbers of a row.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Pixels
from jepa.core.errors import InputError

EXACT_INTEGERS = 2**24
"""Whole numbers up to here are exact in float32."""
LARGEST = float(np.finfo(np.float32).max)


class UnfitValueError(InputError):
    """A value that cannot be stored; `row` and `column` say where it stands among what was handed over."""

    def __init__(self, what: str, problem: str, row: int | None = None, column: int | None = None) -> None:
        place = "" if column is None else f"[{column}]"
        super().__init__(f"{what}{place} {problem}")
        self.what, self.problem, self.row, self.column = what, problem, row, column

    def __reduce__(self) -> tuple[type["UnfitValueError"], tuple[str, str, int | None, int | None]]:
        return UnfitValueError, (self.what, self.problem, self.row, self.column)

    def at(self, where: str) -> InputError:
        """Returns the error with where it happened before it."""
        return InputError(f"{where}: {self}")


def to_pixels(frames: Any, what: str = "the picture") -> Pixels:
    """Returns RGB frames as uint8 (..., H, W, 3).

    uint8 stays as it is; other whole numbers are taken where all lie in 0 … 255; true is white; floats are scaled from
    [0, 1] and rounded. 16-bit frames are refused, for nothing says which of their values is white.

    Args:
        frames: (..., H, W, 3).
        what: names the frames in the message.

    Raises:
        UnfitValueError: they are of another shape, type or range.
    """
    array = np.asarray(frames)
    if array.ndim < 3 or array.shape[-1] != 3 or 0 in array.shape:
        raise UnfitValueError(what, f"has the shape {array.shape} and is no RGB picture, which is (height, width, 3)")
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iuf":
        raise UnfitValueError(what, f"is of type {array.dtype}; uint8, or floats in [0, 1], are needed")
    low, high = array.min(), array.max()
    if array.dtype.kind in "iu":
        if low < 0 or high > 255:
            raise UnfitValueError(
                what, f"is of type {array.dtype} with values from {low} to {high}; only 0 to 255 are exact in uint8"
            )
        return array.astype(np.uint8)
    # A comparison with NaN is false, so that NaN is refused too.
    if not (low >= 0 and high <= 1):
        raise UnfitValueError(
            what, f"is of type {array.dtype} with values from {low:g} to {high:g}; floats must lie in [0, 1]"
        )
    return np.asarray(np.rint(array.astype(np.float64) * 255), dtype=np.uint8)


def to_numbers(values: Any, what: str) -> NDArray[np.float32]:
    """Returns numbers as float32, in their own shape: whole numbers exactly, others rounded to the nearest.

    Args:
        values: (N, d), or any other shape; a problem names its place along the first and the last axis.
        what: names the numbers in the message.

    Raises:
        UnfitValueError: a value is no number, is not finite, is beyond float32, or is a whole number over 2²⁴.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise UnfitValueError(what, f"is of type {array.dtype}; real numbers are needed")
    if array.dtype.kind in "iu":
        # Two comparisons, for the absolute value of the smallest int64 is negative.
        _refuse(
            what, array, (array > EXACT_INTEGERS) | (array < -EXACT_INTEGERS), "is over 2^24 and not exact in float32"
        )
        return array.astype(np.float32)
    if array.dtype.kind == "f":
        _refuse(what, array, ~np.isfinite(array), "is not finite")
        if array.dtype.itemsize > 4:
            _refuse(what, array, np.abs(array) > LARGEST, "is beyond float32")
    return array.astype(np.float32, copy=False)


def to_counts(values: Any, what: str) -> NDArray[np.int64]:
    """Returns a list of whole numbers (N,) as int64.

    Raises:
        UnfitValueError: it is no list, or a value is no whole number that int64 holds exactly.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise UnfitValueError(what, f"has the shape {array.shape}; a list of whole numbers is needed")
    if array.dtype.kind not in "fiu":
        raise UnfitValueError(what, f"is of type {array.dtype}; whole numbers are needed")
    if array.dtype.kind == "f":
        _refuse(what, array, ~np.isfinite(array), "is not finite")
        _refuse(what, array, array != np.floor(array), "is no whole number")
    # Above 2^53 floats skip whole numbers, and no file has so many rows.
    _refuse(what, array, (array > 2**53) | (array < -(2**53)), "is too large for a count")
    return array.astype(np.int64)


def _refuse(what: str, array: NDArray[Any], wrong: NDArray[np.bool_], problem: str) -> None:
    """Raises for the first of the wrong values, if there is one."""
    places = np.argwhere(wrong)
    if not len(places):
        return
    place = tuple(int(index) for index in places[0])
    row = place[0] if place else None
    column = place[-1] if len(place) > 1 else None
    raise UnfitValueError(what, f"is {array[place]}, which {problem}", row, column)
