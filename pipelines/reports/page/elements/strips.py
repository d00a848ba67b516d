"""Film strips: a few frames of an episode side by side, as inline images."""

import base64
import io
from collections.abc import Iterable

import numpy as np
from markupsafe import Markup
from PIL import Image

from jepa.core.episodes import Episode, Pixels
from pipelines.reports.words import plain

WIDEST = 128
"""Pixels; larger frames are made smaller, they are shown at about this width."""


def data_uri(png: bytes) -> str:
    """Returns PNG bytes as a data URI, or an empty string where they are no PNG (a stored table may hold anything)."""
    return "data:image/png;base64," + base64.b64encode(png).decode() if png.startswith(b"\x89PNG") else ""


def png(frame: Pixels) -> bytes:
    """Returns a frame uint8 (H, W, 3) as PNG bytes, at most `WIDEST` pixels wide."""
    image = Image.fromarray(frame)
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True)
    return buffer.getvalue()


def strip(frames: Iterable[tuple[str, bytes]], caption: str, marked: str = "") -> Markup:
    """Returns a strip of labelled PNG frames.

    Args:
        frames: label (its time) and PNG of each frame.
        caption: what is seen.
        marked: label of the frame to point out.
    """
    return film([("", frames)], caption, marked)


def film(rows: Iterable[tuple[str, Iterable[tuple[str, bytes]]]], caption: str, marked: str = "") -> Markup:
    """Returns strips one below another, each with the name of its row, of as many frames each."""
    strips = Markup("").join(
        Markup("{}<ol>{}</ol>").format(Markup("<p>{}</p>").format(name) if name else "", _cells(frames, marked))
        for name, frames in rows
    )
    return Markup('<figure class="strip"><figcaption>{}</figcaption>{}</figure>').format(caption, strips)


def _cells(frames: Iterable[tuple[str, bytes]], marked: str) -> Markup:
    return Markup("").join(
        Markup('<li{}><img alt="{}" src="{}"><span>{}</span></li>').format(
            Markup(' class="marked"') if label == marked else "", f"frame at {label}", data_uri(data), label
        )
        for label, data in frames
    )


def episode_strip(episode: Episode, frames: int) -> Markup:
    """Returns a strip of an episode's frames, evenly spaced from the first to the last."""
    drawn = episode.drawn_steps
    steps = drawn[np.unique(np.linspace(0, len(drawn) - 1, min(frames, len(drawn))).round().astype(int))]
    variation = ", ".join(f"{plain(name)} {value:.3g}" for name, value in sorted(episode.variation.items()))
    caption = f"Episode {episode.index} · {episode.split} · policy {episode.policy}"
    shown = [(f"step {step}", png(episode.frames_at(step))) for step in steps]
    return strip(shown, f"{caption} · {variation}" if variation else caption)
