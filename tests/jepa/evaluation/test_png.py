"""Frames as PNG files in memory."""

import struct
import zlib

import numpy as np
import pytest

from jepa.evaluation.png import encode_png


def test_png_holds_the_very_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    data = encode_png(pixels)
    assert data.startswith(b"\x89PNG\r\n\x1a\n") and struct.unpack(">II", data[16:24]) == (7, 5)
    start = data.index(b"IDAT") + 4
    lines = np.frombuffer(zlib.decompress(data[start:]), dtype=np.uint8).reshape(5, 22)
    np.testing.assert_array_equal(lines[:, 1:].reshape(5, 7, 3), pixels)
    with pytest.raises(ValueError, match="uint8"):
        encode_png(pixels.astype(np.float32))
