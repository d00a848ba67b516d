"""Rows of frames as one picture, for eyes: what was seen, what its latents hold, what was imagined."""

import numpy as np

from jepa.core.episodes import Pixels
from jepa.evaluation.png import encode_png


def strip_png(*rows_THWC: Pixels) -> bytes:
    """Returns the PNG file of several rows of frames, one under the other.

    Args:
        rows_THWC: frames uint8 (T, H, W, 3) of each row. Smaller frames are enlarged to the largest, whose size must
            be a multiple of theirs; a row with fewer frames than the longest ends with it.

    Raises:
        ValueError: no rows, or sizes that are no multiples.
    """
    if not rows_THWC:
        raise ValueError("a strip needs at least one row of frames")
    height, length = max(row.shape[1] for row in rows_THWC), max(len(row) for row in rows_THWC)
    lines = []
    for row in rows_THWC:
        scale, rest = divmod(height, row.shape[1])
        if rest:
            raise ValueError(f"frames of {row.shape[1]} pixels do not fit beside frames of {height}")
        large = row.repeat(scale, axis=1).repeat(scale, axis=2)
        blank = np.zeros((length - len(large), *large.shape[1:]), np.uint8)
        lines.append(np.concatenate([*blank, *large], axis=1))
    return encode_png(np.concatenate(lines))
