"""How well planners do by how far the goal is: a line for each, the best in colour."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from pipelines.reports.page.drawings.bars import bar_title
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.of_evaluations.planning.planners import (
    COLOURS,
    DASHES,
    OWN,
    Dash,
    Planners,
    colours,
    each,
    legend,
    panels,
    placed,
    value_text,
)
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import GREY, canvas, hint, svg
from pipelines.reports.words import plain

DODGE = 0.012
"""By how much of the axis lines are moved apart, so that their intervals can be told apart."""


@DRAWINGS.register("planner_lines")
class PlannerLines(Drawing):
    """A line for each planner against the number in the column `x`, a panel for each split and kind of goal.

    With more planners than colours the best have one and the others are grey. Nothing is drawn of one place alone.
    Options: `x`; `x_label`; `title` of the axis, in which `{unit}` is the rows' unit;
    `percent`.
    """

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        x = subject.column("x")
        subject = subject.measured("value", x)
        rows, planners = subject.rows, Planners.of(subject.metrics)
        if rows[x].nunique() < 2:
            return
        splits, goals = panels(rows, "split")
        size = (5.2 * len(goals) if len(goals) > 1 else 6.8, 3.1 * len(splits))
        looks = {name: look for name, look in _looks(planners).items() if name in set(rows.planner)}
        with canvas(len(splits), len(goals), size, sharex=True, sharey=True) as (figure, axes):
            for number, (ax, shown) in enumerate(placed(axes, rows, "split", "{} episodes", len(splits) > 1)):
                for place, name in enumerate(looks):
                    move = DODGE * (place - (len(looks) - 1) / 2) * (rows[x].max() - rows[x].min())
                    _line(ax, shown[shown.planner == name], looks[name], x, move, planners.words(name), subject)
                ax.set_xticks(sorted(rows[x].unique()))
                ax.set_xlabel(str(subject.option("x_label", plain(x))) if number >= len(axes) - len(goals) else "")
                ax.set_ylabel(bar_title(subject) if number % len(goals) == 0 else "")
                if subject.option("percent", False):
                    ax.set_ylim(-4, 108)
                    ax.set_yticks([0, 25, 50, 75, 100])
            named = {name: look for name, look in looks.items() if look[0] != GREY or name in COLOURS}
            grey = len(looks) - len(named)
            lines: list[tuple[str, str, Dash]] = [(planners.words(name), *look) for name, look in named.items()]
            legend(figure, [*lines, (f"{grey} others", GREY, "-")] if grey else lines)
            yield Block(svg(figure, f"{bar_title(subject)} by {plain(x)}"), subject.heading)


def _looks(planners: Planners) -> dict[str, tuple[str, Dash]]:
    """Returns colour and line style by planner, in the order of the legend."""
    kept = colours(planners.own[: len(OWN)])
    looks: dict[str, tuple[str, Dash]] = {name: (kept.get(name, GREY), "-") for name in planners.own}
    return looks | {name: (COLOURS[name], DASHES[name]) for name in planners.references}


def _line(
    ax: Axes, rows: pd.DataFrame, look: tuple[str, Dash], x: str, move: float, words: str, subject: Subject
) -> None:
    colour, style = look
    percent = bool(subject.option("percent", False))
    scale = 100 if percent else 1
    front = 2 if colour == GREY or style != "-" else 3
    width = 1.1 if colour == GREY or style != "-" else 1.8
    along = rows.groupby(x).value.mean()
    ax.plot(along.index + move, scale * along, color=colour, linewidth=width, linestyle=style, zorder=front)
    for row in each(rows):
        place, low, high = getattr(row, x) + move, scale * float(row.ci_low), scale * float(row.ci_high)
        if np.isfinite([low, high]).all() and front == 3:
            ax.plot([place, place], [low, high], color=colour, linewidth=1.1, alpha=0.45, zorder=front)
        (point,) = ax.plot([place], [scale * row.value], "o", color=colour, markersize=3.8, zorder=front)
        hint(point, f"{words}: {value_text(row, percent)} at {plain(x)} {getattr(row, x)}, n {row.n}")
