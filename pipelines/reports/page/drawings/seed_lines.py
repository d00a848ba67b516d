"""Lines of a study's table: the mean over seeds at each place, with Student's 95 % interval as a band."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.ticker import FuncFormatter

from jepa.studies.claims import mean_interval
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import GREY, SERIES, canvas, svg
from pipelines.reports.selection import grouped
from pipelines.reports.words import plain, value_words

LABELS = 12
"""Places that are named along a logarithmic axis."""


@DRAWINGS.register("seed_lines")
class SeedLines(Drawing):
    """A line for each value of the column `series`, against the number in the column `x`.

    Options: `x`, by default the column of that name; `y`, by default `value`; `series`; `log_x`, `log_y`; `x_label`,
    `y_label`; `mark`, a number at which a level line is drawn, e.g. what theory gives.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        subject = subject.measured(subject.column("x", "x"), subject.column("y", "value"))
        if not subject.rows.empty:
            yield Block(seed_lines(subject), subject.heading)


def seed_lines(subject: Subject) -> Markup:
    """Returns the chart; a seed that has several rows at one place counts once, with their mean."""
    x, y = subject.column("x", "x"), subject.column("y", "value")
    series = subject.column("series") if subject.option("series") else ""
    with canvas(1, 1, (6.5, 3.2)) as (figure, (ax,)):
        if subject.option("log_x"):
            ax.set_xscale("log")
        if subject.option("log_y"):
            ax.set_yscale("log")
        if subject.option("mark") is not None:
            ax.axhline(float(subject.option("mark")), color=GREY, linewidth=1.0, linestyle="--")
        for index, (values, own) in enumerate(grouped(subject.rows, [series])):
            places, means, lows, highs = over_seeds(own, x, y)
            colour = SERIES[index % len(SERIES)]
            ax.fill_between(places, lows, highs, color=colour, alpha=0.22, linewidth=0)
            name = value_words(series, values.get(series)) if series else ""
            ax.plot(places, means, color=colour, marker="o", markersize=3.2, label=name)
        for axis in [ax.xaxis] * bool(subject.option("log_x")) + [ax.yaxis] * bool(subject.option("log_y")):
            # Powers are written as numbers: the page's text has no formulas.
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        if subject.option("log_x"):
            places = sorted(subject.rows[x].unique())
            ax.set_xticks(places[:: 1 + len(places) // LABELS])
            ax.minorticks_off()
        ax.set_xlabel(str(subject.option("x_label", plain(x))))
        ax.set_ylabel(str(subject.option("y_label", plain(y))))
        if series:
            ax.legend(frameon=False, fontsize=8.5, title=plain(series), title_fontsize=8.5)
        return svg(figure, subject.heading or f"{y} by {x}")


def over_seeds(rows: pd.DataFrame, x: str, y: str) -> tuple[list[float], list[float], list[float], list[float]]:
    """Returns places, means over seeds, and the ends of their intervals; one seed alone has a band of no width."""
    places, means, lows, highs = [], [], [], []
    for place, own in rows.groupby(x, sort=True):
        estimate = mean_interval(own.groupby("seed")[y].mean().to_numpy(dtype=float))
        places.append(float(place))  # type: ignore[arg-type]
        means.append(estimate.value)
        lows.append(estimate.low if np.isfinite(estimate.low) else estimate.value)
        highs.append(estimate.high if np.isfinite(estimate.high) else estimate.value)
    return places, means, lows, highs
