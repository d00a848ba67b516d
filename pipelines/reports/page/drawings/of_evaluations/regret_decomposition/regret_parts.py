"""Regret decomposition: the parts of each planner's regret end to end, and the regret that they sum to."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from pipelines.reports.page.drawings.bars import bar_title
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.of_evaluations.planning.planners import LONGEST, OWN, each, value_text
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import INK, canvas, hint, svg, valued
from pipelines.reports.selection import reading_order, select
from pipelines.reports.words import digits, plain, value_words

WHOLE = {"metric": "top1_regret", "quantity": "planner"}
"""Rows of the regret that the parts sum to."""


@DRAWINGS.register("regret_parts")
class RegretParts(Drawing):
    """A bar for each planner, the best first, made of its parts in a colour each; a negative part lies left of zero.

    A dot with its 95 % interval is the regret itself. Options: `title`.
    """

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        rows = subject.measured("value").rows
        if rows.empty:
            return
        yield Block(_chart(rows, select(subject.metrics, WHOLE), bar_title(subject)), subject.heading)


def _chart(rows: pd.DataFrame, whole: pd.DataFrame, title: str) -> Markup:
    lost = rows.groupby("planner").value.sum()
    planners = sorted(lost.index, key=lambda name: (lost[name], reading_order(name)))
    parts = dict(zip(sorted(set(rows.quantity), key=reading_order), OWN, strict=False))
    splits = sorted(rows.split.unique())
    goals = sorted(rows.goal.dropna().unique(), key=reading_order) or [None]
    margin = 0.075 * max(len(plain(name, LONGEST)) for name in planners) + 0.5
    size = (min(10.5, 4.4 * len(goals) + margin), (0.85 + 0.42 * len(planners)) * len(splits) + 0.35)
    with canvas(len(splits), len(goals), size, sharex=True, sharey=True) as (figure, axes):
        for ax, (split, goal) in zip(axes, product(splits, goals), strict=True):
            own = _of(rows, split, goal)
            for place, planner in enumerate(planners):
                _bar(ax, place, own[own.planner == planner], parts)
                for row in each(_of(whole[whole.planner == planner], split, goal)):
                    _total(ax, place, row)
            words = [] if goal is None else [f"{value_words('goal', goal)} goals"]
            ax.set_title(" · ".join([*words, *([f"{split} episodes"] * (len(splits) > 1))]))
            ax.set_yticks(range(len(planners)), [plain(name, LONGEST) for name in planners])
            ax.tick_params(axis="y", labelcolor=INK, length=0)
            ax.set_ylim(len(planners) - 0.5, -0.5)
            ax.grid(visible=False, axis="y")
            ax.margins(x=0.14)
            ax.axvline(0, color=INK, linewidth=0.8)
            ax.set_xlabel(title if split == splits[-1] else "")
        handles = [Patch(color=colour, label=f"lost by the {plain(part)}") for part, colour in parts.items()]
        figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), frameon=False, fontsize=9)
        return svg(figure, f"{title} by its parts")


def _of(rows: pd.DataFrame, split: str, goal: str | None) -> pd.DataFrame:
    own = rows[rows.split == split]
    return own if goal is None else own[own.goal == goal]


def _bar(ax: Axes, place: int, rows: pd.DataFrame, parts: Mapping[str, str]) -> None:
    """Puts the parts end to end, those above zero to the right and those below to the left."""
    ends = {True: 0.0, False: 0.0}
    for part, colour in parts.items():
        for row in each(rows[rows.quantity == part]):
            above = row.value >= 0
            bar: Sequence[Any] = ax.barh(place, row.value, left=ends[above], height=0.56, color=colour)
            ends[above] += row.value
            hint(bar[0], f"{plain(row.planner)}, {plain(part)}: {value_text(row, False)}, n {row.n}")


def _total(ax: Axes, place: int, row: Any) -> None:
    ends = [float(end) for end in (row.value, row.ci_low, row.ci_high) if not pd.isna(end)]
    if not np.isfinite(ends[:1]).all() or not ends:
        return
    ax.plot([min(ends), max(ends)], [place, place], color=INK, linewidth=1.2, solid_capstyle="butt")
    ax.plot([row.value], [place], "o", color=INK, markersize=4.5)
    text = ax.annotate(
        digits(row.value), (max(ends), place), (6, 0), textcoords="offset points", va="center", color=INK, fontsize=9
    )
    valued(text, float(row.value))
