"""What charts of planning have in common: which planners there are, the best first, their words and colours."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jepa.evaluation.kinds.planning.report import REFERENCES
from pipelines.reports.page.elements.style import BLUE, GREEN, GREY, SERIES
from pipelines.reports.selection import reading_order, select
from pipelines.reports.words import digits, plain, value_words

Dash = Literal["-", "--", "-.", ":"]
BESIDE = REFERENCES["planner"]
COLOURS = {"random": GREY, "demonstration": GREEN, "oracle": GREEN}
OWN = tuple(colour for colour in SERIES if colour != GREEN)
"""Colours of the planners that are judged."""
DASHES: dict[str, Dash] = {"random": ":", "demonstration": "-.", "oracle": "--"}
LONGEST = 60
"""Characters of a planner's label that fit beside a chart: a variant's label says all that it varies."""
WIDEST_LEGEND = 110
"""Characters of a line of a legend."""
VARIANT = re.compile(r" (?=[^ =]+=)")
"""Where, in the label of a grid's variant, one option ends and the next begins."""


@dataclass(frozen=True)
class Planners:
    """The planners of some rows of planning's figures."""

    own: tuple[str, ...]
    """those that are judged, the best first"""
    references: tuple[str, ...]
    """those that tell what a figure is worth"""
    privileged: frozenset[str] = frozenset()

    @classmethod
    def of(cls, metrics: pd.DataFrame) -> "Planners":
        """Returns the planners of `metrics` rows, by success, then by regret in distance, then by name."""
        success = select(metrics, {"metric": "success_rate"}).groupby("planner").value.mean()
        lost = select(metrics, {"metric": "regret", "quantity": "final_distance"}).groupby("planner").value.mean()
        held = sorted(set(metrics.planner.dropna()), key=reading_order)
        # Stable: what is alike stays in reading order.
        ranked = sorted(held, key=lambda name: (-success.get(name, -1.0), lost.get(name, float("inf"))))
        marked = metrics.privileged.eq(True).fillna(False) if "privileged" in metrics else pd.Series(dtype=bool)
        return cls(
            own=tuple(name for name in ranked if name not in BESIDE),
            references=tuple(name for name in BESIDE if name in held),
            privileged=frozenset(metrics.planner[marked] if marked.any() else ()) - set(BESIDE),
        )

    def words(self, planner: str) -> str:
        """Returns a planner's label for a chart, marked where it is privileged."""
        return plain(planner, LONGEST) + (" (privileged)" if planner in self.privileged else "")


def base_and_options(planner: str) -> tuple[str, dict[str, str]]:
    """Returns the label that a grid varied, and the values of a variant: of `cem samples=32` both, else no values."""
    base, *options = VARIANT.split(planner)
    return base, dict(option.split("=", 1) for option in options)


def colours(names: Iterable[str]) -> dict[str, str]:
    """Returns a colour for each name, the same on every chart of these; more names than colours are all blue."""
    every = sorted(names, key=reading_order)
    return {name: OWN[place] if len(every) <= len(OWN) else BLUE for place, name in enumerate(every)}


def panels(rows: pd.DataFrame, down: str) -> tuple[list[Any], list[Any]]:
    """Returns the values of a column, down, and the kinds of goals, across, that have a panel each."""
    downs, goals = (sorted(_present(rows, column), key=reading_order) for column in (down, "goal"))
    return downs or [None], goals or [None]


def placed(
    axes: list[Axes], rows: pd.DataFrame, down: str, words: str, several: bool
) -> Iterator[tuple[Axes, pd.DataFrame]]:
    """Yields the axes with the rows of each panel, titled by kind of goal and, of several, the column's `words`."""
    downs, goals = panels(rows, down)
    for ax, (other, goal) in zip(axes, product(downs, goals), strict=True):
        own = rows if other is None else rows[rows[down] == other]
        own = own if goal is None else own[own.goal == goal]
        title = [] if goal is None else [f"{value_words('goal', goal)} goals"]
        ax.set_title(" · ".join(title + [words.format(other)] * several))
        yield ax, own


def legend(figure: Figure, drawn: Sequence[tuple[str, str, Dash]], title: str = "") -> None:
    """Names lines below the panels, by their words, colour and line style."""
    lines = [Line2D([], [], color=colour, linestyle=style) for _, colour, style in drawn]
    if lines:
        figure.legend(
            lines,
            [words for words, _, _ in drawn],
            loc="outside lower left",
            ncols=min(len(lines), max(1, int(WIDEST_LEGEND / max(len(words) + 6 for words, _, _ in drawn)))),
            frameon=False,
            fontsize=8.5,
            title=title or None,
            title_fontsize=8.5,
            alignment="left",
        )


def each(rows: pd.DataFrame) -> Iterator[Any]:
    """Yields the rows one by one, with their columns as attributes."""
    yield from rows.itertuples()


def value_text(row: Any, percent: bool) -> str:
    """Returns a figure of a row with its interval, for the place where the pointer rests."""
    ends = [row.value, row.ci_low, row.ci_high]
    value, low, high = (f"{100 * end:.0f}" if percent else digits(float(end)) for end in map(_number, ends))
    unit = " %" if percent else f" {row.unit}" if row.unit not in ("", "1") else ""
    return f"{value}{unit}" if low in ("–", "nan") else f"{value}{unit} ({low} to {high})"


def _number(value: Any) -> float:
    return float("nan") if pd.isna(value) else float(value)


def _present(rows: pd.DataFrame, column: str) -> list[Any]:
    return list(rows[column].dropna().unique()) if column in rows else []
