"""The few figures that say how good a model is, as each evaluation declares its own."""

import math
from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd

from infra.storage import Store, open_store
from jepa.evaluation.declarations import HeadlineFigure
from jepa.evaluation.evaluation import EVALUATIONS, declared
from jepa.evaluation.statistics import Estimate
from pipelines.reports.origins import PLACE, Origin, by_origin, with_origins
from pipelines.reports.selection import grouped, select
from pipelines.reports.words import figure_words, plain, value_words
from pipelines.store.reports import read_table

HELD_OUT = ("test", "unseen")
"""Splits that figures of merit come from."""


class Headline(Origin):
    """One figure with its origin, its interval and what to hold it against."""

    kind: str
    """short identifier that its evaluation gives the figure: `success`, `regret`, `r2`, `auroc`, `psnr` …"""
    label: str
    title: str = ""
    """What all figures of its kind are, without what tells them apart."""
    by: tuple[tuple[str, str | int | float | None], ...] = ()
    """What tells it from the others of its kind: column and value, e.g. goal, offset and planner."""
    value: float
    ci_low: float | None
    ci_high: float | None
    n: int
    """Samples behind the figure."""
    unit: str
    percent: bool = False
    """Whether it reads best as a percentage."""
    track: tuple[float, float] | None = None
    """Ends of the bar on which it is shown."""
    less_is_better: bool | None = False
    """None where neither side is better."""
    across: str = ""
    """Column of `by` whose values stand side by side where the figures are many."""
    marks: tuple[str, ...] = ()
    """Words that say what else is to be known of it, e.g. privileged; `label` has them, too."""
    beside: tuple[tuple[str, float], ...] = ()
    """Reference figures by name, e.g. of the random policy."""

    def __repr__(self) -> str:
        interval = f" ({self.interval_text})" if self.interval_text else ""
        return f"<{self.model} on {self.dataset}, {self.split}: {self.label} {self.value_text}{interval}, n {self.n}>"

    __str__ = __repr__

    @property
    def value_text(self) -> str:
        """The figure as people write it, with its unit where it has one."""
        return f"{self.format(self.value)} {self.unit_text}".strip()

    @property
    def interval_text(self) -> str:
        """The interval, empty where there is none."""
        if self.ci_low is None or self.ci_high is None:
            return ""
        return f"{self.format(self.ci_low)} – {self.format(self.ci_high)}"

    @property
    def estimate(self) -> Estimate:
        """The figure for statistics, whose ends are NaN where there is no interval."""
        low, high = (math.nan if end is None else end for end in (self.ci_low, self.ci_high))
        return Estimate(self.value, low, high, self.n)

    @property
    def beside_text(self) -> str:
        """The references in one line, e.g. `random 2 %, oracle 96 %`."""
        return ", ".join(f"{name} {self.format(value)}" for name, value in self.beside)

    @property
    def unit_text(self) -> str:
        """The unit, empty for a ratio."""
        return "" if self.percent or self.unit in ("", "1") else self.unit

    def format(self, value: float) -> str:
        """Returns a value with the digits that this figure deserves."""
        return figure_words(value, self.percent)


def metrics_table(store: Store | str, run: str) -> list[Headline]:
    """Returns the headline figures of one run, in the order that they should be read in."""
    store = open_store(store) if isinstance(store, str) else store
    return headlines(read_table(store, "metrics", run=run).compute())


def headlines(metrics: pd.DataFrame) -> list[Headline]:
    """Returns the headline figures of `metrics` rows: those of one origin together, in the order of their declarations.

    Held-out test episodes come first, unseen variations after them.
    """
    held_out = with_origins(metrics[metrics.split.isin(HELD_OUT)])
    figures = declared_figures(set(held_out.evaluation))
    return [
        headline
        for _, rows in grouped(held_out, PLACE)
        for kind, figure in figures
        for origin, own in by_origin(rows[rows.evaluation == kind])
        for headline in _headlines(figure, origin, own)
    ]


def declared_figures(kinds: Collection[str] | None = None) -> list[tuple[str, HeadlineFigure]]:
    """Returns the figures that evaluations of some kinds declare, by default of all, with the kind, in reading order.

    A kind that is not known here declares none.
    """
    chosen = [kind for kind in EVALUATIONS if kinds is None or kind in kinds]
    every = [(kind, figure) for kind in chosen for figure in declared(kind).headlines]
    return sorted(every, key=lambda pair: pair[1].order)


def _headlines(figure: HeadlineFigure, origin: Origin, rows: pd.DataFrame) -> Iterator[Headline]:
    rows = select(rows[rows.value.notna()], {"metric": figure.metric, **figure.where}, figure.without)
    if figure.last and len(rows):
        rows = rows[rows[figure.last] == rows[figure.last].max()]
    own = select(rows, {}, figure.references)
    told_apart = [column for column in figure.by if own[column].nunique(dropna=False) > 1]
    for values, mine in grouped(own, figure.by):
        marks = [mark for mark in figure.marks if _is_marked(mine, mark)]
        yield Headline(
            **origin.model_dump(),
            kind=figure.name,
            label=_label(figure, values, told_apart, marks),
            title=figure.title or figure.label.partition("{")[0].rstrip(" ,"),
            by=tuple((column, _plain_value(value)) for column, value in values.items()),
            less_is_better=figure.less_is_better,
            across=figure.across,
            marks=tuple(map(plain, marks)),
            percent=figure.percent,
            track=figure.track,
            beside=_beside(figure, values, rows),
            **_mean(mine),
        )


def _is_marked(rows: pd.DataFrame, mark: str) -> bool:
    """Returns whether a column of truth values is true in any row; older rows do not have it, or nothing in it."""
    return mark in rows and bool(rows[mark].eq(True).any())


def _label(figure: HeadlineFigure, values: dict[str, Any], told_apart: list[str], marks: list[str]) -> str:
    words = {column: value_words(column, value) for column, value in values.items()}
    unsaid = [words[column] for column in told_apart if f"{{{column}}}" not in figure.label]
    unsaid += [plain(mark) for mark in marks]
    return figure.label.format(**words) + (f" ({', '.join(unsaid)})" if unsaid else "")


def _beside(figure: HeadlineFigure, values: dict[str, Any], rows: pd.DataFrame) -> tuple[tuple[str, float], ...]:
    """Returns the reference figures that belong beside the one with these values, then those known beforehand."""
    alike = rows
    for column, value in values.items():
        if column not in figure.references:
            alike = alike[alike[column].isna() if value is None else alike[column] == value]
    found = [
        (plain(name), float(own.value.mean()))
        for column, names in figure.references.items()
        for name in names
        if len(own := alike[alike[column] == name])
    ]
    return (*found, *figure.constants.items())


def _plain_value(value: Any) -> str | int | float | None:
    """Returns a value of a column as one that JSON knows."""
    known: str | int | float | None = value.item() if hasattr(value, "item") else value
    return known


def _mean(rows: pd.DataFrame) -> dict[str, Any]:
    """Returns the mean of several rows' figures.

    Its interval has the mean ends of theirs: at least as wide as the true one, however the rows hang together. It has
    none where one of them has none.
    """
    low, high = (float(rows[end].mean(skipna=False)) for end in ("ci_low", "ci_high"))
    return {
        "value": float(rows.value.mean()),
        "ci_low": None if math.isnan(low) else low,
        "ci_high": None if math.isnan(high) else high,
        # Several quantities are read from the same samples.
        "n": int(rows.n.max()),
        "unit": str(rows.unit.iloc[0]),
    }
