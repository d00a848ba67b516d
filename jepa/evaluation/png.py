"""A frame as a PNG file in memory, so that a report row can carry a picture that any viewer opens."""

import struct
import zlib

import numpy as np

from jepa.core.episodes import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGB_8_BIT = (8, 2, 0, 0, 0)
"""Bit depth, colour type, compression, filter method, interlacing."""


def encode_png(pixels_HWC: Pixels) -> bytes:
    """Returns the PNG file (ISO/IEC 15948) of a frame uint8 (H, W, 3), without loss.

    Raises:
        ValueError: another shape or type.
    """
    if pixels_HWC.dtype != np.uint8 or pixels_HWC.ndim != 3 or pixels_HWC.shape[2] != 3:
        raise ValueError(f"expected uint8 pixels (H, W, 3), got {pixels_HWC.dtype} {pixels_HWC.shape}")
    height, width = pixels_HWC.shape[:2]
    # Every scanline opens with its filter type; 0 is none.
    lines = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    lines[:, 1:] = pixels_HWC.reshape(height, -1)
    header = struct.pack(">II5B", width, height, *RGB_8_BIT)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines.tobytes())) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
