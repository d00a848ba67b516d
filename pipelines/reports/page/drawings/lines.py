"""Lines with 95 % bands, of any table whose rows have a number to go along and one to go up."""

from collections.abc import Iterator
from itertools import product

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import SERIES, canvas, svg
from pipelines.reports.selection import grouped, reading_order
from pipelines.reports.words import plain, value_words

BAND = ("ci_low", "ci_high")


@DRAWINGS.register("lines")
class Lines(Drawing):
    """A line for each value of the column `series`; rows with the same `x` are averaged.

    Options: `x`; `y`, by default `value`; `series`; `panel`, a column with a panel for each of its values beside those
    of splits, and `panel_title`, words around such a value; `x_label`, in which `{unit}` is the rows' unit; `y_label`.
    Where the rows have `ci_low` and `ci_high`, a band shows them.
    """

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        x, y = subject.column("x"), subject.column("y", "value")
        description = subject.heading or f"{y} by {x}"
        yield Block(lines(subject, x, y, description), subject.heading)


def lines(subject: Subject, x: str, y: str, description: str) -> Markup:
    """Returns the chart, splits down and the values of `panel` across; without `series` there is one line a panel."""
    panel, rows = str(subject.option("panel", "")), subject.rows
    splits, values = _values(rows, "split"), _values(rows, panel)
    size = (5.0, 2.8 * len(splits)) if len(values) == 1 else (min(10.5, 5.2 * len(values)), 3.0 * len(splits))
    with canvas(len(splits), len(values), size, sharey=True) as (figure, axes):
        for ax, (split, value) in zip(axes, product(splits, values), strict=True):
            own = rows if split is None else rows[rows.split == split]
            _draw(ax, own if value is None else own[own[panel] == value], subject, x, y)
            title = str(subject.option("panel_title", "{}")).replace("{}", value_words(panel, value))
            words = [title] * (value is not None) + [f"{split} episodes"] * (len(splits) > 1)
            ax.set_title(" · ".join(words))
            ax.set_xlabel(_label(subject, "x_label", x) if split == splits[-1] else "")
            ax.set_ylabel(_label(subject, "y_label", y) if value == values[0] else "")
        return svg(figure, description)


def _draw(ax: Axes, rows: pd.DataFrame, subject: Subject, x: str, y: str) -> None:
    series = subject.column("series") if subject.option("series") else ""
    for index, (values, own) in enumerate(grouped(rows, [series])):
        colour, along = SERIES[index % len(SERIES)], own.groupby(x)
        if set(BAND) <= set(own):
            low, high = (along[end].mean() for end in BAND)
            ax.fill_between(low.index, low, high, color=colour, alpha=0.22, linewidth=0)
        curve = along[y].mean()
        name = value_words(series, values.get(series)) if series else plain(y)
        ax.plot(curve.index, curve, color=colour, marker="o", markersize=2.8, label=name)
    if series:
        ax.legend(frameon=False, fontsize=8.5)


def _values(rows: pd.DataFrame, column: str) -> list[str | None]:
    held = sorted(rows[column].dropna().unique(), key=reading_order) if column in rows else []
    return held or [None]


def _label(subject: Subject, option: str, column: str) -> str:
    # Replaced and not formatted: a unit comes from someone's input.
    unit = str(subject.rows.unit.iloc[0]) if "unit" in subject.rows else ""
    return str(subject.option(option, plain(column))).replace("{unit}", unit)
