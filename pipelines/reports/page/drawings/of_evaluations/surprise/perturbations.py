"""What the charts of surprise have in common: a small chart for each perturbation, physical ones first."""

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from jepa.evaluation.kinds.surprise.report import ONE_STEP
from pipelines.reports.page.elements.style import valued
from pipelines.reports.selection import reading_order, select
from pipelines.reports.words import digits

PANEL = (3.3, 2.5)
"""Inches of a small chart, which a telephone shows whole."""


def multiples(charts: Sequence[Markup]) -> Markup:
    """Returns small charts side by side, as many in a row as there is room for."""
    return Markup('<div class="multiples">{}</div>').format(Markup("").join(charts))


def raw_one_step(metrics: pd.DataFrame) -> pd.DataFrame:
    """Returns the figures of raw one-step surprise, those of older rows among them."""
    return select(metrics, {name: values for name, values in ONE_STEP.items() if name in metrics})


def by_shift(metrics: pd.DataFrame, metric: str) -> dict[str, float]:
    """Returns a figure of each perturbation that has it."""
    own = metrics[metrics.metric == metric]
    return {str(shift): float(rows.value.mean()) for shift, rows in own.groupby("shift")}


def perturbations(metrics: pd.DataFrame, rows: pd.DataFrame) -> list[tuple[str, bool]]:
    """Returns the perturbations of some rows, each with whether it is physical, in reading order.

    Rows of earlier versions do not say so: there, what is called after a colour is merely visual.
    """
    held = metrics.dropna(subset=["shift", "physical"]) if "physical" in metrics else metrics[:0]
    known = dict(zip(held["shift"], held["physical"].astype(bool), strict=True)) if len(held) else {}
    named = [(shift, known.get(shift, "colour" not in shift)) for shift in map(str, rows["shift"].unique())]
    return sorted(named, key=lambda one: (not one[1], reading_order(one[0])))


def titled(ax: Axes, words: str, value: float | None) -> None:
    """Writes a title, in which `{}` is a rounded value that is marked as what it stands for."""
    title = ax.set_title(words if value is None else words.format(digits(value)))
    if value is not None:
        valued(title, value)
