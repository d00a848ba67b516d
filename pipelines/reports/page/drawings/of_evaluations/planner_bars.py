"""Planning: how often goals are reached, or how far from them episodes end, by planner and kind of goal."""

from collections.abc import Iterator

from pipelines.reports.page.blocks import Block
from pipelines.reports.page.drawings.bars import BarChart, bar_title
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.style import GREEN, GREY
from pipelines.reports.selection import grouped

COLOURS = {"random": GREY, "oracle": GREEN}


@DRAWINGS.register("planner_bars")
class PlannerBars(Drawing):
    """A bar for each planner, the random policy first and the oracle last, a chart for each offset; see `bars`."""

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        title, percent = bar_title(subject), bool(subject.option("percent", False))
        chart = BarChart("planner", "goal", "{} goals", title, percent, COLOURS)
        offsets = list(grouped(subject.rows, ["offset"]))
        for values, rows in offsets:
            where = f", {values['offset']} steps ahead" if len(offsets) > 1 and values.get("offset") else ""
            made = chart.draw(rows, f"{title} by planner and kind of goal{where}")
            yield Block(made, f"{subject.heading}{where}" if subject.heading else "")
