"""Regret decomposition: the parts of the regret as bars, their sum beside the rank correlations in a table."""

from collections.abc import Iterator

import pandas as pd

from pipelines.reports.page.blocks import Block
from pipelines.reports.page.drawings.bars import BarChart, bar_title
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.table import html_table
from pipelines.reports.selection import grouped
from pipelines.reports.words import digits

CELLS = {
    "regret": ("top1_regret", "planner"),
    "Spearman, cost": ("rank_correlation", "cost"),
    "Spearman, model": ("rank_correlation", "model"),
    "Spearman, both": ("rank_correlation", "both"),
}
"""Columns of the table, with the metric and the quantity of their figures."""


@DRAWINGS.register("regret_parts")
class RegretParts(Drawing):
    """A bar for each part of each planner's regret; with one planner its name is left out. Options: `title`."""

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        rows, title = subject.rows.copy(), bar_title(subject)
        several = rows.planner.nunique() > 1
        rows["part"] = rows.planner + " · " + rows.quantity if several else rows.quantity
        yield Block(BarChart("part", "goal", "{} goals", title).draw(rows, f"{title} by its parts"), subject.heading)


@DRAWINGS.register("regret_table")
class RegretTable(Drawing):
    """A row for each split, kind of goal and planner; a figure that is nowhere defined is a dash."""

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        table = [
            {**labels, **{name: _cell(own, *cell) for name, cell in CELLS.items()}, "problems": int(own.n.max())}
            for labels, own in grouped(subject.rows, ("split", "goal", "planner"))
        ]
        if table:
            yield Block(html_table(pd.DataFrame(table), list(table[0])), subject.heading)


def _cell(rows: pd.DataFrame, metric: str, quantity: str) -> str:
    """Returns a figure with its interval."""
    own = rows[(rows.metric == metric) & (rows.quantity == quantity)]
    if own.empty:
        return "–"
    value, low, high = (float(own[name].mean()) for name in ("value", "ci_low", "ci_high"))
    return f"{digits(value)} ({digits(low)} to {digits(high)})"
