"""Heat maps: one number over two columns, a map for each value of a third."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import MAP, canvas, svg
from pipelines.reports.selection import grouped, reading_order
from pipelines.reports.words import plain, value_words

COLUMNS = 4


@DRAWINGS.register("heat_map")
class HeatMap(Drawing):
    """Rows at the same place are averaged.

    Options: `x`, `y`; `value`, by default the column of that name; `series`, a map for each of its values.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        columns = subject.column("x"), subject.column("y"), subject.column("value", "value")
        rows = subject.measured(columns[2]).rows.dropna(subset=[*columns[:2]])
        if rows.empty:
            return
        series = subject.column("series") if subject.option("series") else ""
        description = subject.heading or f"{columns[2]} by {columns[0]} and {columns[1]}"
        yield Block(heat_maps(rows, columns, series, description), subject.heading)


def heat_maps(rows: pd.DataFrame, columns: tuple[str, str, str], series: str, description: str) -> Markup:
    """Returns the chart, all maps on one scale."""
    x, y, value = columns
    maps = list(grouped(rows, [series]))
    across = min(COLUMNS, len(maps))
    down = -(-len(maps) // across)
    low, high = float(rows[value].min()), float(rows[value].max())
    with canvas(down, across, (2.6 * across + 0.9, 2.5 * down)) as (figure, axes):
        for ax, (values, own) in zip(axes, maps, strict=False):
            grid = own.pivot_table(index=y, columns=x, values=value, aggfunc="mean")
            # Not by `loc`: a list of truth values is a mask there.
            order = (sorted(names, key=reading_order) for names in (grid.index, grid.columns))
            grid = grid.reindex(index=next(order), columns=next(order)).rename_axis(index=y, columns=x)
            shown = ax.imshow(grid.to_numpy(dtype=float), cmap=MAP, vmin=low, vmax=high, origin="lower", aspect="auto")
            _ticks(ax.set_xticks, grid.columns)
            _ticks(ax.set_yticks, grid.index)
            ax.grid(False)
            ax.set_title(value_words(series, values.get(series)) if series else "", fontsize=9.5)
            ax.set_xlabel(plain(x))
            ax.set_ylabel(plain(y))
        for ax in axes[len(maps) :]:
            ax.set_visible(False)
        figure.colorbar(shown, ax=axes, label=plain(value), shrink=0.9)
        return svg(figure, description)


def _ticks(set_ticks: object, names: pd.Index) -> None:
    """Names at most ten places along an axis."""
    kept = np.unique(np.linspace(0, len(names) - 1, min(10, len(names))).astype(int))
    set_ticks(kept, [value_words(str(names.name), names[i]) for i in kept])  # type: ignore[operator]
