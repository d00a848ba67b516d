"""Scatter plots of two numbers of any table's rows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import BLUE, MAP, canvas, svg
from pipelines.reports.selection import grouped
from pipelines.reports.words import plain, value_words

COLUMNS = 4


@DRAWINGS.register("scatter")
class Scatter(Drawing):
    """A dot a row, a panel for each value of the column `panel`, coloured by the number in the column `colour`.

    Options: `x`, `y`, `panel`, `colour`.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        x, y = subject.column("x"), subject.column("y")
        panel = subject.column("panel") if subject.option("panel") else ""
        colour = subject.column("colour") if subject.option("colour") else ""
        rows = subject.measured(x, y, *([colour] if colour else [])).rows
        if rows.empty:
            return
        description = subject.heading or f"{y} against {x}"
        made = scatter(rows, (x, y), panel, subject.amounts.points, description, colour)
        yield Block(made, subject.heading)


def scatter(
    rows: pd.DataFrame, axes_of: tuple[str, str], panel: str, points: int, description: str, colour: str = ""
) -> Markup:
    """Returns the chart; at most `points` are drawn in each panel, evenly spread over its rows."""
    x, y = axes_of
    panels = list(grouped(rows, [panel]))
    columns = min(COLUMNS, len(panels))
    height = -(-len(panels) // columns)
    with canvas(height, columns, (10.5 if columns > 1 else 5.2, 2.9 * height)) as (figure, axes):
        for ax, (values, own) in zip(axes, panels, strict=False):
            shown = own.iloc[np.linspace(0, len(own) - 1, min(points, len(own))).astype(int)]
            if colour:
                dots = ax.scatter(shown[x], shown[y], s=7, c=shown[colour], cmap=MAP, linewidths=0)
                figure.colorbar(dots, ax=ax, label=plain(colour))
            else:
                ax.plot(shown[x], shown[y], "o", markersize=2.6, color=BLUE, alpha=0.45, markeredgewidth=0)
            ax.set_title(value_words(panel, values.get(panel)) if panel else "", fontsize=9.5)
            ax.set_xlabel(plain(x))
            ax.set_ylabel(plain(y))
        for ax in axes[len(panels) :]:
            ax.set_visible(False)
        return svg(figure, description)
