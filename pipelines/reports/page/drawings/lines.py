"""Lines with 95 % bands, of any table whose rows have a number to go along and one to go up."""

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from pipelines.reports.page.blocks import Block
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.style import SERIES, canvas, svg
from pipelines.reports.selection import grouped
from pipelines.reports.words import plain, value_words

BAND = ("ci_low", "ci_high")


@DRAWINGS.register("lines")
class Lines(Drawing):
    """A line for each value of the column `series`; rows with the same `x` are averaged.

    Options: `x`; `y`, by default `value`; `series`. Where the rows have `ci_low` and `ci_high`, a band shows them.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        x, y = subject.column("x"), subject.column("y", "value")
        series = subject.column("series") if subject.option("series") else ""
        yield Block(lines(subject.rows, x, y, series, subject.heading or f"{y} by {x}"), subject.heading)


def lines(rows: pd.DataFrame, x: str, y: str, series: str, description: str) -> Markup:
    """Returns the chart; without `series` there is one line."""
    with canvas(1, 1, (6.5, 3.0)) as (figure, (ax,)):
        for index, (values, own) in enumerate(grouped(rows, [series])):
            colour, along = SERIES[index % len(SERIES)], own.groupby(x)
            if set(BAND) <= set(own):
                low, high = (along[end].mean() for end in BAND)
                ax.fill_between(low.index, low, high, color=colour, alpha=0.22, linewidth=0)
            curve = along[y].mean()
            name = value_words(series, values.get(series)) if series else plain(y)
            ax.plot(curve.index, curve, color=colour, marker="o", markersize=2.8, label=name)
        ax.set_xlabel(plain(x))
        ax.set_ylabel(plain(y))
        if series:
            ax.legend(frameon=False, fontsize=8.5)
        return svg(figure, description)
