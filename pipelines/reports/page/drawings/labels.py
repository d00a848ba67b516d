"""Names beside points, where they cover neither each other nor the points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.reports.page.elements.style import HALO

PLACES = ((0, 1), (-1, 0), (1, 0), (0, -1), (-1, 1), (1, 1), (-1, -1), (1, -1))
"""Where a name may stand from its point, the preferred first: across and up."""
WIDE, GAP = 0.65, 5.0
"""Mean width of a letter in font sizes, and points of 1/72 inch between a name and its point."""
Rectangle = tuple[float, float, float, float]
"""left, bottom, right, top in points"""


@dataclass(frozen=True)
class Label:
    """A name of the point at `x` and `y`, in data coordinates."""

    x: float
    y: float
    text: str
    colour: str


def label_points(figure: Figure, ax: Axes, labels: Sequence[Label], size: float = 8.0) -> None:
    """Writes each label at the first place where it covers no point and no other; one that has no place is left out.

    Args:
        figure: with all else in it, so that its layout is the last.
        ax: what the labels stand in.
        labels: those that matter most first.
        size: of the font, in points.
    """
    if not labels:
        return
    figure.draw_without_rendering()
    scale = 72 / figure.dpi
    box = ax.get_window_extent()
    inside = tuple(scale * edge for edge in (box.x0, box.y0, box.x1, box.y1))
    points = [point for line in ax.lines if line.get_marker() == "o" for point in np.asarray(line.get_xydata())]
    taken = [_around(*(scale * ax.transData.transform(point))) for point in points]
    for label in labels:
        x, y = scale * ax.transData.transform((label.x, label.y))
        wide, high = WIDE * size * len(label.text), 1.15 * size
        for across, up in PLACES:
            left = x + across * GAP - wide * (1 - across) / 2
            bottom = y + up * GAP - high * (1 - up) / 2
            own = left, bottom, left + wide, bottom + high
            if not _within(own, inside) or any(_overlap(own, other) for other in taken):
                continue
            taken.append(own)
            text = ax.annotate(
                label.text,
                (label.x, label.y),
                (across * GAP, up * GAP),
                textcoords="offset points",
                ha=("right", "center", "left")[across + 1],
                va=("top", "center", "bottom")[up + 1],
                color=label.colour,
                fontsize=size,
            )
            text.set_in_layout(False)
            text.set_gid(HALO)
            break


def _around(x: float, y: float, half: float = 3.0) -> Rectangle:
    return x - half, y - half, x + half, y + half


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _within(one: Rectangle, frame: tuple[float, ...]) -> bool:
    return one[0] >= frame[0] and one[1] >= frame[1] and one[2] <= frame[2] and one[3] <= frame[3]
