"""What others hand over is stored exactly, scaled by a rule, or refused in a sentence that names it."""

from typing import Any

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.core.input.conversions import UnfitValueError, to_counts, to_numbers, to_pixels

GREY = np.arange(256).reshape(16, 16, 1).repeat(3, axis=2)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int64, np.uint64])
def test_whole_numbers_from_0_to_255_are_pixels_whatever_their_type(kind: type[np.generic]) -> None:
    pixels = to_pixels(GREY.astype(kind))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, GREY)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_from_0_to_1_are_scaled_so_that_every_brightness_comes_back(kind: type[np.generic]) -> None:
    np.testing.assert_array_equal(to_pixels((GREY / 255).astype(kind)), GREY)


def test_true_is_white() -> None:
    np.testing.assert_array_equal(to_pixels(GREY > 100), np.where(GREY > 100, 255, 0))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (GREY.astype(np.uint16) * 257, "is of type uint16 with values from 0 to 65535; only 0 to 255 are exact"),
        (GREY.astype(np.int32) - 1, "is of type int32 with values from -1 to 254"),
        (GREY.astype(np.float32), "is of type float32 with values from 0 to 255; floats must lie in"),
        (GREY / 255 - 0.5, "floats must lie in"),
        (np.full((4, 4, 3), np.nan), "values from nan to nan"),
        (np.full((4, 4, 3), "red"), "is of type <U3"),
        (np.full((4, 4, 3), 1j), "is of type complex128"),
        (GREY[..., 0].astype(np.uint8), r"shape \(16, 16\) and is no RGB picture"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\)"),
        (None, r"shape \(\)"),
    ],
)
def test_pictures_whose_meaning_is_not_known_are_refused(frames: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_pixels(frames)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64, np.float16, np.float32, np.float64, np.bool_])
def test_numbers_of_every_type_become_float32(kind: type[np.generic]) -> None:
    values = np.array([[0, 1, 1], [1, 0, 0]], dtype=kind)
    numbers = to_numbers(values, "state")
    assert numbers.dtype == np.float32
    np.testing.assert_array_equal(numbers, values)


@pytest.mark.parametrize(
    ("value", "kind", "problem"),
    [
        (np.nan, np.float32, "nan, which is not finite"),
        (-np.inf, np.float64, "-inf, which is not finite"),
        (1e300, np.float64, "which is beyond float32"),
        (-3.5e38, np.float64, "which is beyond float32"),
        (2**24 + 1, np.int64, "16777217, which is over 2\\^24"),
        (-(2**63), np.int64, "which is over 2\\^24"),
        (2**64 - 1, np.uint64, "which is over 2\\^24"),
    ],
)
def test_numbers_that_float32_cannot_hold_are_refused_with_their_place(
    value: float, kind: type[np.generic], problem: str
) -> None:
    values = np.zeros((4, 3), dtype=kind)
    values[2, 1] = value
    with pytest.raises(UnfitValueError, match=rf"^state\[1\] is .*{problem}") as raised:
        to_numbers(values, "state")
    assert (raised.value.row, raised.value.column) == (2, 1)


@pytest.mark.parametrize("values", [["a"], [None], [1j], np.array(["2020-01-01"], "datetime64[D]")])
def test_what_is_no_number_is_refused(values: Any) -> None:
    with pytest.raises(InputError, match=r"state is of type .*; real numbers are needed"):
        to_numbers(values, "state")


def test_counts_are_exact_or_refused() -> None:
    np.testing.assert_array_equal(to_counts(np.array([3, 2], dtype=np.float64), "ep_len"), [3, 2])
    assert to_counts(np.array([7], dtype=np.uint64), "ep_len").dtype == np.int64
    for values, message in [
        (5, "has the shape"),
        ([[1, 2]], "has the shape"),
        ([1.0, np.nan], "ep_len is nan, which is not finite"),
        ([2.5], "ep_len is 2.5, which is no whole number"),
        (np.array([2**64 - 1], dtype=np.uint64), "too large"),
        (np.array([-(2**63)], dtype=np.int64), "too large"),
        ([1e19], "too large"),
        (["3"], "is of type"),
        ([True], "is of type bool"),
    ]:
        with pytest.raises(InputError, match=message):
            to_counts(values, "ep_len")
