"""What a frame of the counting world shows: places that follow from a number, and shapes of one colour on black.

Lengths are fractions of the frame's width, x to the right and y downwards.
Shapes: N frames, K = 8 objects at most, T tries, O objects of all frames together, P pixels of an object's box.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Pixels
from jepa.core.keyed import uniform
from jepa.core.seeds import derive_key

Floats = NDArray[np.float32]

MOST = 8
"""Objects of the fullest frame."""
SHAPES = ("circle", "square", "triangle", "line")
LAYOUTS = 2**24
"""How many arrangements there are; every number up to it is exact in float32."""
RADIUS = 3 / 64
SPACING = 8 / 64
"""Least distance of two centres: no two objects touch."""
NEAR, FAR = 4 / 64, 60 / 64
"""Where centres lie."""
TRIES = 12
DARKEST, BRIGHTEST = 30.0, 225.0
"""Range of each colour channel."""
KEY = derive_key("counting", "places")


def following(layout_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the layout that comes after each, by a linear congruence that goes through all of them."""
    return (layout_N * 1140671485 + 12820163) % LAYOUTS


def places(layout_N: NDArray[np.int64]) -> Floats:
    """Returns the centres (N, K, 2) of a layout, spread at random at least `SPACING` apart.

    Each object takes the first of its tries that is clear of those before it, or else the one furthest from them.
    """
    draw_NKT2 = layout_N[:, None] * (MOST * TRIES * 2) + np.arange(MOST * TRIES * 2)
    unit_NKT2 = uniform(KEY, draw_NKT2).reshape(-1, MOST, TRIES, 2)
    tried_NKT2 = (NEAR + (FAR - NEAR) * unit_NKT2).astype(np.float32)
    placed_NK2 = tried_NKT2[:, :, 0].copy()
    for k in range(1, MOST):
        gap_NTk2 = tried_NKT2[:, k, :, None] - placed_NK2[:, None, :k]
        clear_NT = np.minimum((gap_NTk2**2).sum(-1).min(-1), np.float32(SPACING**2))
        placed_NK2[:, k] = np.take_along_axis(tried_NKT2[:, k], clear_NT.argmax(1)[:, None, None], axis=1)[:, 0]
    return placed_NK2


def colours(hue_N: NDArray[np.floating[Any]]) -> Floats:
    """Returns the colour (N, 3) of a hue in degrees, each channel in `DARKEST` to `BRIGHTEST`."""
    turn_N3 = (np.array([5, 3, 1], dtype=np.float32) + np.asarray(hue_N, dtype=np.float32)[:, None] / 60) % 6
    share_N3 = 1 - np.clip(np.minimum(turn_N3, 4 - turn_N3), 0, 1)
    return np.asarray(DARKEST + (BRIGHTEST - DARKEST) * share_N3, dtype=np.float32)


def draw(
    count_N: NDArray[np.int64],
    shape_N: NDArray[np.int64],
    hue_N: NDArray[np.floating[Any]],
    layout_N: NDArray[np.int64],
    size: int,
    larger: float = 1.0,
    opacity: float = 1.0,
) -> Pixels:
    """Returns uint8 (N, size, size, 3): the first `count` places of each layout hold an anti-aliased object.

    All of them are `larger` times their usual size and of that opacity.
    """
    frames = np.zeros((len(count_N), size, size, 3), dtype=np.uint8)
    frame_O, place_O = np.nonzero(np.arange(MOST) < count_N[:, None])
    centre_O2 = places(layout_N)[frame_O, place_O] * size
    radius = larger * RADIUS * size
    side = int(np.ceil(2 * 1.2 * radius + 2))
    corner_O2 = np.clip(np.floor(centre_O2 - side / 2 + 0.5).astype(np.int64), 0, size - side)
    box_O2P = corner_O2[:, :, None] + np.arange(side)
    offset_O2P = box_O2P.astype(np.float32) + np.float32(0.5) - centre_O2[:, :, None]
    x_OPP, y_OPP = offset_O2P[:, 0, None, :], offset_O2P[:, 1, :, None]
    cover_OPP = np.clip(0.5 - _outside(shape_N[frame_O], x_OPP, y_OPP, radius), 0, 1)
    if opacity < 1:
        cover_OPP *= np.float32(opacity)
    painted = (cover_OPP[..., None] * colours(hue_N)[frame_O, None, None] + 0.5).astype(np.uint8)
    row_OP1, column_O1P = box_O2P[:, 1, :, None], box_O2P[:, 0, None, :]
    # Boxes of neighbours may overlap where the objects do not, so one object of each frame is painted at a time.
    for k in range(MOST):
        own = place_O == k
        at = frame_O[own, None, None], row_OP1[own], column_O1P[own]
        frames[at] = np.maximum(frames[at], painted[own])
    return frames


def _outside(shape_O: NDArray[np.int64], x_OPP: Floats, y_OPP: Floats, radius: float) -> Floats:
    """Returns how far each pixel lies outside of its object (negative within), in pixels."""
    drawn_OPP = np.empty(np.broadcast_shapes(x_OPP.shape, y_OPP.shape), dtype=np.float32)
    for shape, name in enumerate(SHAPES):
        own = shape_O == shape
        drawn_OPP[own] = OUTSIDE[name](x_OPP[own], y_OPP[own], radius)
    return drawn_OPP


OUTSIDE: dict[str, Callable[[Floats, Floats, float], Floats]] = {
    "circle": lambda x, y, radius: np.sqrt(x**2 + y**2) - radius,
    "square": lambda x, y, radius: np.maximum(np.abs(x), np.abs(y)) - 0.85 * radius,
    "triangle": lambda x, y, radius: np.maximum(0.866 * np.abs(x) - 0.5 * y, y) - 0.575 * radius,
    "line": lambda x, y, radius: np.maximum(np.abs(x) - radius, np.abs(y) - 0.3 * radius),
}
"""How far a pixel at (x, y) from an object's centre lies outside of it, in pixels; negative within."""
