"""Quality against compute: how well planners do by the seconds that a decision takes them, with the best trade."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from pipelines.reports.page.drawings.bars import bar_title
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.labels import Label, label_points
from pipelines.reports.page.drawings.of_evaluations.planning.planners import (
    COLOURS,
    DASHES,
    Dash,
    Planners,
    base_and_options,
    colours,
    each,
    legend,
    panels,
    placed,
    value_text,
)
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import GREY, canvas, hint, svg
from pipelines.reports.selection import select
from pipelines.reports.words import plain, seconds_words

PLACE = ["planner", "goal", "offset", "success_kind", "split"]
"""Columns that a figure and its seconds share."""
FEWEST = 3
"""Variants of a planner that make a line of their own."""


@DRAWINGS.register("quality_by_seconds")
class QualityBySeconds(Drawing):
    """A point for each planner, a panel for each kind of goal and offset, a level line for each reference.

    A line joins what was best with at most so many seconds: of each planner that was varied, or else of all. Nothing is
    drawn of one planner alone, nor of offsets at which all do equally well. Options: `title` of the axis, in which
    `{unit}` is the rows' unit; `percent`; `least`, whether less is better.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        subject = subject.measured("value")
        rows = _with_seconds(subject)
        planners = Planners.of(subject.metrics)
        own = rows[rows.planner.isin(planners.own)]
        own = own[own.groupby("offset", dropna=False).value.transform("nunique") > 1]
        if own.planner.nunique() < 2:
            return
        rows = rows[rows.offset.isin(own.offset) | rows.offset.isna()]
        downs, goals = panels(rows, "offset")
        size = (5.2 * len(goals) if len(goals) > 1 else 6.8, 3.5 * len(downs))
        with canvas(len(downs), len(goals), size, sharex=True, sharey=True) as (figure, axes):
            several = subject.rows.offset.nunique() > 1
            places = placed(axes, rows, "offset", "{} steps ahead", several)
            drawn = [(ax, _draw(ax, shown, planners, subject)) for ax, shown in places]
            _axes(axes, own, subject, len(goals))
            _legend(figure, planners, rows, axes[0].get_ylim(), bool(subject.option("percent", False)))
            for ax, labels in drawn:
                label_points(figure, ax, labels)
            yield Block(svg(figure, f"{bar_title(subject)} by seconds a decision"), subject.heading)


def _with_seconds(subject: Subject) -> pd.DataFrame:
    """Returns the rows with the `seconds_a_decision` of the same planner on the same problems."""
    by = [column for column in PLACE if column in subject.rows]
    seconds = select(subject.metrics, {"metric": "plan_seconds"}).groupby(by, dropna=False).value.mean()
    rows: pd.DataFrame = subject.rows.merge(seconds.rename("seconds_a_decision").reset_index(), on=by, how="left")
    is_own = ~rows.planner.isin(COLOURS)
    return rows[~is_own | (rows.seconds_a_decision > 0)]


def _draw(ax: Axes, rows: pd.DataFrame, planners: Planners, subject: Subject) -> list[Label]:
    """Draws a panel and returns the labels that it wants."""
    percent = bool(subject.option("percent", False))
    scale = 100 if percent else 1
    for name in planners.references:
        for row in each(rows[rows.planner == name]):
            line = ax.axhline(scale * row.value, color=COLOURS[name], linewidth=1.1, linestyle=DASHES[name])
            hint(line, f"{name}: {value_text(row, percent)}")
    series = _series(planners)
    several = max(map(len, series.values())) >= FEWEST
    labels: list[Label] = []
    coloured = colours(series)
    for base, members in series.items():
        colour = coloured[base]
        own = rows[rows.planner.isin(members)].sort_values("seconds_a_decision", kind="stable")
        for row in each(own):
            _point(ax, row, planners, colour, percent)
        best = _frontier(own, bool(subject.option("least", False)))
        if len(members) >= FEWEST:
            _line(ax, best, colour, scale)
        shown = best if len(members) >= FEWEST else own
        for row in each(shown):
            text = " · ".join(base_and_options(row.planner)[1].values()) if several else planners.words(base)
            labels.append(Label(row.seconds_a_decision, scale * row.value, text or plain(base), colour))
    if not several:
        every = rows[rows.planner.isin(planners.own)]
        _line(ax, _frontier(every.sort_values("seconds_a_decision"), bool(subject.option("least", False))), GREY, scale)
    return labels


def _series(planners: Planners) -> dict[str, list[str]]:
    """Returns the variants of each planner that a grid varied; a planner that was not is the only one of its own."""
    found: dict[str, list[str]] = {}
    for name in planners.own:
        found.setdefault(base_and_options(name)[0], []).append(name)
    return found


def _point(ax: Axes, row: Any, planners: Planners, colour: str, percent: bool) -> None:
    scale = 100 if percent else 1
    x, value, low, high = row.seconds_a_decision, *(scale * float(end) for end in (row.value, row.ci_low, row.ci_high))
    if np.isfinite([low, high]).all():
        ax.plot([x, x], [low, high], color=colour, linewidth=1.1, alpha=0.45, solid_capstyle="butt")
    inner = "none" if row.planner in planners.privileged else colour
    (point,) = ax.plot([x], [value], "o", color=colour, markersize=5.5, markerfacecolor=inner, zorder=3)
    words = f"{planners.words(row.planner)}: {value_text(row, percent)}, {seconds_words(x)} s a decision, n {row.n}"
    hint(point, words)


def _frontier(rows: pd.DataFrame, least: bool) -> pd.DataFrame:
    """Returns those of the rows, in order of their seconds, that do better than all which take less."""
    best = rows.value.cummin() if least else rows.value.cummax()
    return rows[best != best.shift()]


def _line(ax: Axes, rows: pd.DataFrame, colour: str, scale: float) -> None:
    ax.plot(rows.seconds_a_decision, scale * rows.value, color=colour, linewidth=1.3, drawstyle="steps-post", zorder=2)


def _legend(figure: Figure, planners: Planners, rows: pd.DataFrame, shown: tuple[float, float], percent: bool) -> None:
    """Names the planners that were varied, whose points are labelled by what varies, and the references in sight."""
    series = _series(planners)
    values = (100 if percent else 1) * rows.set_index("planner").value
    seen = set(values[values.between(*shown)].index)
    beside = [name for name in planners.references if name in seen]
    lines: list[tuple[str, str, Dash]] = [(name, COLOURS[name], DASHES[name]) for name in beside]
    if max(map(len, series.values())) < FEWEST:
        legend(figure, lines)
        return
    named: list[tuple[str, str, Dash]] = [(plain(base), colour, "-") for base, colour in colours(series).items()]
    options = max((list(base_and_options(name)[1]) for name in planners.own), key=len)
    legend(figure, named + lines, f"points: {' · '.join(map(plain, options))}")


def _axes(axes: list[Axes], rows: pd.DataFrame, subject: Subject, across: int) -> None:
    low, high = rows.seconds_a_decision.min(), rows.seconds_a_decision.max()
    places = [m * 10.0**k for k in range(-7, 6) for m in ((1, 2, 5) if high < 100 * low else (1,))]
    for number, ax in enumerate(axes):
        ax.set_xscale("log")
        ax.set_xlim(low / 1.5, high * 1.5)
        ax.xaxis.set_major_locator(FixedLocator([place for place in places if low / 1.5 <= place <= high * 1.5]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda place, _: seconds_words(place)))
        ax.set_xlabel("seconds a decision" if number >= len(axes) - across else "")
        ax.set_ylabel(bar_title(subject) if number % across == 0 else "")
    # References that are far off must not squeeze what is compared.
    scale = 100 if subject.option("percent", False) else 1
    ends = scale * rows[["value", "ci_low", "ci_high"]].to_numpy(dtype=float, na_value=np.nan)
    bottom, top = np.nanmin(ends), np.nanmax(ends)
    room = 0.1 * (top - bottom)
    axes[0].set_ylim(bottom - room, top + 1.5 * room)
