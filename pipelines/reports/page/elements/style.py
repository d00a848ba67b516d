"""How the report's charts look, and how one becomes an inline SVG that follows the page's light or dark colours."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, LogFormatterMathtext

from pipelines.reports.page.elements.numbers import exact

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType  # of matplotlib 3.11

# Each colour stands for a variable of the page's style sheet, which holds its light and its dark value.
INK, MUTED, GRID = "#1a1b1c", "#6a6b6c", "#dadbdc"
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#8f9091"
"""After Okabe and Ito: told apart with every kind of colour vision."""
PINK, GOLD, VIOLET = "#cc79a7", "#e69f00", "#6a3d9a"
SERIES = (BLUE, ORANGE, GREEN, PINK, GOLD, VIOLET)
HALO = "halo"
"""Group id of words that stand over lines."""
HINT = "hint: "
"""Opens the group id of what has a hint."""
FAR_OFF = "9999999"
"""A coordinate of which nothing is to be seen."""
SMALLEST = 8.5
"""Points of the smallest letters: a little over 11 pixels of a screen."""
VALUE = "value: "
"""Opens the group id of words that end in a number, the value of which follows."""
MAP = "viridis"
"""For numbers: even in lightness, and read alike with every kind of colour vision."""
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    BLUE: "--blue",
    ORANGE: "--orange",
    GREEN: "--green",
    GREY: "--grey",
    PINK: "--pink",
    GOLD: "--gold",
    VIOLET: "--violet",
}

RC: "dict[RcKeyType, Any]" = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name with a dollar sign is a name
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "lines.linewidth": 1.8,
    "figure.facecolor": "none",
}


class PlainPowers(LogFormatter):
    """Numbers along a logarithmic axis, at the places that matplotlib chooses."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


@contextmanager
def canvas(rows: int, columns: int, size: tuple[float, float], **options: Any) -> Iterator[tuple[Figure, list[Axes]]]:
    """Gives a figure and its axes, row by row, in the report's style.

    Args:
        rows: of axes.
        columns: of axes.
        size: width and height in inches of 72 points; the page shows a figure at up to that width.
        options: what `Figure.subplots` takes.
    """
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=size, layout="constrained")
        yield figure, list(figure.subplots(rows, columns, squeeze=False, **options).flat)


def svg(figure: Figure, description: str) -> Markup:
    """Returns a figure as an inline SVG element in the page's colours; the description is for who cannot see it."""
    for words in figure.findobj(Text):
        words.set_fontsize(max(SMALLEST, words.get_fontsize()))
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        # The page's text has no formulas.
        if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
            axis.set_major_formatter(PlainPowers())
        if isinstance(axis.get_minor_formatter(), LogFormatterMathtext):
            axis.set_minor_formatter(PlainPowers())
    # The ids of clips and markers are hashed with the salt: another one for each chart keeps them apart on the page.
    with matplotlib.rc_context({**RC, "svg.hashsalt": description}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, dpi=144, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    text = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1var(--font)", text)
    text = text.replace(f'<g id="{HALO}"', f'<g class="{HALO}"')
    # A browser reads no longer numbers; what is so far off lies outside of the chart anyway.
    text = re.sub(r' d="[^"]*"', lambda path: re.sub(r"\d{8,}(\.\d+)?", FAR_OFF, path[0]), text)
    # A group with a hint gets it as its title, which browsers show where the pointer rests.
    text = re.sub(rf'<g id="{HINT}([^"]*)"', r"<g><title>\1</title", text)
    text = re.sub(rf'<g id="{VALUE}([^"]*)"', r'<g class="number" data-value="\1"', text)
    # Names of groups repeat from figure to figure; an id must not.
    text = re.sub(r'<g id="[a-zA-Z]+[a-zA-Z0-9.]*_[0-9_]+"', "<g", text)
    return Markup(_opening_tag(figure, text, description)) + Markup(text[text.index(">") + 1 :])


def hint(artist: Artist, text: str) -> None:
    """Gives a part of a figure the text that shows where the pointer rests on it."""
    artist.set_gid(HINT + text)


def valued(artist: Artist, value: float) -> None:
    """Gives words of a figure that end in a rounded number the value that it stands for, for programs."""
    artist.set_gid(VALUE + exact(value))


def note(axes: Axes, text: str) -> None:
    """Writes a short remark at the upper right inside the axes."""
    axes.annotate(text, (1, 1), (-4, -4), "axes fraction", "offset points", ha="right", va="top", color=MUTED)


def _opening_tag(figure: Figure, text: str, description: str) -> Markup:
    view_box = re.search(r'viewBox="([^"]*)"', text)
    assert view_box is not None
    width = figure.get_figwidth() * 72
    return Markup('<svg class="chart" role="img" aria-label="{}" viewBox="{}" style="--width:{:.0f}px">').format(
        description, view_box[1], width * 4 / 3
    )
