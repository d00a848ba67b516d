"""Rows of frames under each other: another library reads back the very pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from jepa.evaluation.strip import strip_png


def test_a_strip_has_a_row_for_each_sequence() -> None:
    """Small frames are enlarged, and a short row ends with the longest."""
    rng = np.random.default_rng(0)
    seen, imagined = (rng.integers(1, 256, shape, dtype=np.uint8) for shape in ((3, 4, 4, 3), (2, 2, 2, 3)))
    strip = np.asarray(Image.open(io.BytesIO(strip_png(seen, imagined))))
    assert strip.shape == (8, 12, 3)
    assert np.array_equal(strip[:4], np.concatenate(list(seen), axis=1))
    assert not strip[4:, :4].any()
    assert np.array_equal(strip[4::2, 4::2], np.concatenate(list(imagined), axis=1))
    assert np.array_equal(strip[4::2], strip[5::2]) and np.array_equal(strip[4:, ::2], strip[4:, 1::2])


def test_frames_that_do_not_fit_beside_each_other_are_refused() -> None:
    four, three = (np.zeros((1, size, size, 3), np.uint8) for size in (4, 3))
    with pytest.raises(ValueError, match="frames of 3 pixels do not fit beside frames of 4"):
        strip_png(four, three)
    with pytest.raises(ValueError, match="at least one row"):
        strip_png()
