"""Films: frames one after another as an animated GIF within the page, and the last one for paper and who wants rest.

Shapes: frames (H, W, 3) uint8.
"""

import base64
import io
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE = 176
"""Pixels that a film is at least wide, so that lines over it are thin."""
LARGEST = 150 * 1024
"""Bytes of a film; with more it loses colours, then every other frame."""
PAUSE, END = 90, 1200
"""Milliseconds that a frame, and that the last one, is shown."""
PLAN, CASING = (213, 94, 0), (255, 255, 255)
"""Colours of the path that was planned, and of its edge."""
COLOURS = (96, 32)
"""Of a film's frames, fewer where it would be too large."""


def frame_of(png: bytes, side: int = SIDE) -> Image.Image | None:
    """Returns a stored PNG as a picture of at least that width, each pixel a square; None where it is no picture."""
    try:
        image = Image.open(io.BytesIO(png)).convert("RGB")
    except OSError:
        return None
    factor = max(1, -(-side // image.width))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def with_path(image: Image.Image, path: NDArray[np.float64], extent: Sequence[float]) -> Image.Image:
    """Returns the picture with a dashed path over it.

    Args:
        image: the picture.
        path: points (N, 2) in coordinates of the world.
        extent: those of the picture's edges: left, right, bottom, top.
    """
    left, right, bottom, top = (float(edge) for edge in extent)
    across = (path[:, 0] - left) / (right - left) * image.width
    down = (path[:, 1] - top) / (bottom - top) * image.height
    dots = _evenly(np.stack([across, down], axis=1), 5.0)
    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    for colour, radius in ((CASING, 2.3), (PLAN, 1.4)):
        for x, y in dots:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return drawn


def beside(pictures: Sequence[Image.Image], gap: int = 6) -> Image.Image:
    """Returns pictures side by side, on white."""
    width = sum(one.width for one in pictures) + gap * (len(pictures) - 1)
    sheet = Image.new("RGB", (max(1, width), max((one.height for one in pictures), default=1)), "white")
    left = 0
    for one in pictures:
        sheet.paste(one, (left, 0))
        left += one.width + gap
    return sheet


def gif(frames: Sequence[Image.Image], pause: int = PAUSE) -> bytes:
    """Returns the frames as an animated GIF that plays again and again, of at most `LARGEST` bytes where it can be."""
    for every in (1, 2, 4):
        # The last frame, on which the eye rests, is always there.
        kept = [*frames[:-1][::every], frames[-1]]
        for colours in COLOURS:
            data = _encoded(kept, colours, pause * every)
            if len(data) <= LARGEST:
                return data
    return data


def film_element(frames: Sequence[Image.Image], words: str, pause: int = PAUSE) -> Markup:
    """Returns the film as an element; where it is printed, or nothing is to move, the last frame stands still.

    Args:
        frames: the frames, all of one size.
        words: for who cannot see it.
        pause: milliseconds from frame to frame.
    """
    still = io.BytesIO()
    frames[-1].quantize(COLOURS[0]).save(still, "png", optimize=True)
    element = Markup(
        '<picture><source media="print, (prefers-reduced-motion: reduce)" srcset="data:image/png;base64,{}">'
        '<img class="film" alt="{}" width="{}" height="{}" src="data:image/gif;base64,{}"></picture>'
    )
    still_text, film_text = (base64.b64encode(data).decode() for data in (still.getvalue(), gif(frames, pause)))
    return element.format(still_text, words, frames[-1].width, frames[-1].height, film_text)


def _encoded(frames: Sequence[Image.Image], colours: int, pause: int) -> bytes:
    # One palette for all, of all of them: what does not move keeps its very colour. Every third pixel says enough.
    width, height = (-(-size // 3) for size in frames[0].size)
    sheet = Image.new("RGB", (width, height * len(frames)))
    for place, one in enumerate(frames):
        sheet.paste(one.resize((width, height), Image.Resampling.NEAREST), (0, place * height))
    palette = sheet.quantize(colours)
    drawn = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in frames]
    times = [pause] * (len(frames) - 1) + [END]
    buffer = io.BytesIO()
    drawn[0].save(buffer, "gif", save_all=True, append_images=drawn[1:], duration=times, loop=0, optimize=False)
    return buffer.getvalue()


def _evenly(points: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Returns points along a path, so many pixels apart."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.arange(0.0, length[-1] + 1e-9, gap)
    return np.stack([np.interp(places, length, points[:, axis]) for axis in (0, 1)], axis=1)
