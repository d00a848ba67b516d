"""Regret decomposition: the parts of the regret as bars."""

from collections.abc import Iterator

from pipelines.reports.page.blocks import Block
from pipelines.reports.page.drawings.bars import BarChart, bar_title
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.of_evaluations.planners import LONGEST, OWN
from pipelines.reports.selection import reading_order
from pipelines.reports.words import plain, value_words


@DRAWINGS.register("regret_parts")
class RegretParts(Drawing):
    """A bar for each part of each planner's regret, planner by planner, each part in its colour.

    With one planner its name is left out. Options: `title`.
    """

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        rows, title = subject.measured("value").rows, bar_title(subject)
        lost = rows.groupby("planner").value.mean()
        planners = sorted(lost.index, key=lambda name: (lost[name], reading_order(name)))
        parts = sorted(set(rows.quantity), key=reading_order)
        words, colours = {}, {}
        for planner in planners:
            for part, colour in zip(parts, OWN, strict=False):
                label = f"{planner} · {part}"
                name = f"{plain(planner, LONGEST)} · " if len(planners) > 1 else ""
                words[label] = name + value_words("quantity", part)
                colours[label] = colour
        rows = rows.assign(part=rows.planner + " · " + rows.quantity)
        chart = BarChart("part", "goal", "{} goals", title, colours=colours, words=words)
        yield Block(chart.draw(rows, f"{title} by its parts"), subject.heading)
