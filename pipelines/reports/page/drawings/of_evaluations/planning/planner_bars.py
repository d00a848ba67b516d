"""Planning: how often goals are reached, or how far from them episodes end, by planner and kind of goal."""

from collections.abc import Iterator

from pipelines.reports.page.drawings.bars import BarChart, bar_title
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.of_evaluations.planning.planners import COLOURS, Planners
from pipelines.reports.page.elements.blocks import Block


@DRAWINGS.register("planner_bars")
class PlannerBars(Drawing):
    """A bar for each planner, the best first, the references last; see `bars`.

    Nothing is drawn of several offsets, of which `planner_lines` shows more.
    """

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        subject = subject.measured("value")
        if subject.rows.offset.nunique() > 1:
            return
        title, percent = bar_title(subject), bool(subject.option("percent", False))
        planners = Planners.of(subject.metrics)
        held = [name for name in (*planners.own, *planners.references) if name in set(subject.rows.planner)]
        chart = BarChart("planner", "goal", "{} goals", title, percent, COLOURS, {n: planners.words(n) for n in held})
        made = chart.draw(subject.rows, f"{title} by planner and kind of goal")
        yield Block(made, subject.heading)
