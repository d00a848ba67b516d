"""Anti-aliased shapes in Two-Room's frames, and colours.

Shapes: N copies, P pixels of the disk's bounding box.
"""

import colorsys

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Pixels

Floats = NDArray[np.float32]

OPAQUE = np.float32(1)


def turned(colour_3: Floats, degrees: float) -> Floats:
    """Returns a colour, red, green and blue of 0-255, with another hue; at 0 degrees the very same."""
    if not degrees:
        return colour_3
    hue, lightness, saturation = colorsys.rgb_to_hls(*(colour_3 / 255).tolist())
    other = colorsys.hls_to_rgb((hue + degrees / 360) % 1, lightness, saturation)
    return np.asarray(np.round(255 * np.array(other)), dtype=np.float32)


def share(edge: Floats, low: float | Floats, high: float | Floats) -> Floats:
    """Returns how much of each interval between two edges lies within [low, high]."""
    return np.asarray(np.clip(np.minimum(edge[1:], high) - np.maximum(edge[:-1], low), 0, None))


def paint_disks(
    frames: Pixels, position_N2: Floats, colour_N3: Floats, radius: np.float32, opacity: np.float32 = OPAQUE
) -> None:
    """Blends an anti-aliased disk into each frame, touching only the P x P pixels of its bounding box."""
    size = frames.shape[1]
    centre_N2, radius = position_N2 * size, radius * size
    side = min(int(np.ceil(2 * radius + 1)), size)
    # At the border the box is shifted into the image; its pixels off the disk are covered by nothing and stay.
    corner_N2 = np.clip(np.ceil(centre_N2 - radius - 1).astype(np.int64), 0, size - side)
    box_N2P = corner_N2[:, :, None] + np.arange(side)
    offset_N2P = box_N2P.astype(np.float32) + np.float32(0.5) - centre_N2[:, :, None]
    offset_N2P *= offset_N2P
    gap_NPP = np.sqrt(offset_N2P[:, 1, :, None] + offset_N2P[:, 0, None, :])
    cover_NPP = np.clip(radius + np.float32(0.5) - gap_NPP, 0, 1)
    if opacity != OPAQUE:
        cover_NPP *= opacity
    row_NP = box_N2P[:, 1] + size * np.arange(len(frames))[:, None]
    pixel_NPP = row_NP[:, :, None] * size + box_N2P[:, 0, None, :]
    flat = frames.reshape(-1, 3)
    under_NPP3 = flat[pixel_NPP].astype(np.float32)
    painted = under_NPP3 + (colour_N3[:, None, None] - under_NPP3) * cover_NPP[..., None]
    flat[pixel_NPP] = (painted + np.float32(0.5)).astype(np.uint8)
