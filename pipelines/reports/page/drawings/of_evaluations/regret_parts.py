"""Regret decomposition: the parts of the regret, for each planner, by kind of goal."""

from collections.abc import Iterator

from pipelines.reports.page.blocks import Block
from pipelines.reports.page.drawings.bars import BarChart, bar_title
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject


@DRAWINGS.register("regret_parts")
class RegretParts(Drawing):
    """A bar for each part of each planner's regret; with one planner its name is left out. Options: `title`."""

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        rows, title = subject.rows.copy(), bar_title(subject)
        several = rows.planner.nunique() > 1
        rows["part"] = rows.planner + " · " + rows.quantity if several else rows.quantity
        yield Block(BarChart("part", "goal", "{} goals", title).draw(rows, f"{title} by its parts"), subject.heading)
