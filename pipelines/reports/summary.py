"""The few figures that say how good a model is: planning beside random and oracle, probes, surprise."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from infra.storage import Store
from jepa.core.config import Config
from jepa.evaluation.statistics import wilson
from pipelines.store.reports.tables import read_table

REFERENCE_PLANNERS = ("random", "oracle")
"""They tell what a figure is worth and are no merit of the model."""

LONGEST = 40
"""Characters of a name that fit where it is shown."""


class Headline(Config):
    """One figure with its interval and what to hold it against."""

    model: str
    split: str
    kind: str
    """`success`, `regret`, `r2`, `auroc` or `psnr`."""
    label: str
    value: float
    ci_low: float | None
    ci_high: float | None
    n: int
    """Samples behind the figure, over all seeds."""
    seeds: tuple[int, ...]
    """Seeds of the evaluations that it is the mean of."""
    unit: str
    percent: bool = False
    """Whether it reads best as a percentage."""
    beside: tuple[tuple[str, float], ...] = ()
    """Reference figures by name, e.g. of the random policy."""

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
    def beside_text(self) -> str:
        """The references in one line, e.g. `random 2 %, oracle 96 %`."""
        return ", ".join(f"{name} {self.format(value)}" for name, value in self.beside)

    @property
    def unit_text(self) -> str:
        """The unit, empty for a ratio."""
        return "" if self.percent or self.unit in ("", "1") else self.unit

    def format(self, value: float) -> str:
        """Returns a value with the digits that this figure deserves."""
        return f"{value * 100:.0f} %" if self.percent and not math.isnan(value) else digits(value)


def metrics_table(store: Store | str, run: str) -> list[Headline]:
    """Returns the headline figures of one run, in the order that they should be read in."""
    return headlines(read_table(store, "metrics", run=run).compute())


def headlines(metrics: pd.DataFrame) -> list[Headline]:
    """Returns the headline figures of `metrics` rows: each model's, held-out test first, unseen variations after it."""
    if metrics.empty:
        return []
    metrics = metrics[metrics.split.isin(["test", "unseen"])]
    figures: list[Headline] = []
    for (model, split), rows in metrics.groupby(["model", "split"], sort=True):
        makers = (_success(rows), _probes(rows), _surprise(rows), _regret(rows), _pictures(rows))
        figures += [Headline(model=model, split=split, **figure) for maker in makers for figure in maker]
    return figures


def _success(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    rates = rows[rows.metric == "success_rate"]
    for goal, planner, own, beside in _by_goal(rates):
        estimate = wilson(round(float((own.value * own.n).sum())), int(own.n.sum()))
        yield {
            "kind": "success",
            "label": f"goals reached, {goal_words(goal)}{_named(planner, rates)}",
            "value": estimate.value,
            "ci_low": estimate.low,
            "ci_high": estimate.high,
            "n": estimate.n,
            "seeds": _seeds(own),
            "unit": "1",
            "percent": True,
            "beside": beside,
        }


def _regret(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    regrets = distance_regret(rows)
    for goal, planner, own, beside in _by_goal(regrets):
        yield {
            "kind": "regret",
            "label": f"regret, {goal_words(goal)}{_named(planner, regrets)}",
            "beside": tuple(pair for pair in beside if pair[0] != "oracle"),
            **_mean(own),
        }


def _probes(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    fits = rows[rows.metric == "r2"]
    for probe, own in fits.groupby("probe"):
        name = {"mlp": "MLP"}.get(probe, probe)
        # The evaluation's own figure over all quantities has the right interval; a mean of theirs is the next best.
        together = own[own.quantity == "all"]
        yield {"kind": "r2", "label": f"{name} probe R²", **_mean(together if len(together) else own)}


def _surprise(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    aurocs = rows[rows.metric == "auroc"]
    for shift, own in aurocs.groupby("shift"):
        label = f"surprise at {plain(shift)}, AUROC"
        yield {"kind": "auroc", "label": label, "beside": (("chance", 0.5),), **_mean(own)}


def _pictures(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    likeness = rows[(rows.evaluation == "decoding") & (rows.metric == "psnr")]
    for quantity in sorted(likeness.quantity.dropna().unique()):
        if quantity == "encoded" or quantity == likeness.quantity.max():  # `imagined_k`: the furthest
            of_quantity = likeness[likeness.quantity == quantity]
            floor = float(of_quantity[of_quantity.probe == "mean_frame"].value.mean())
            own = of_quantity[of_quantity.probe == "decoder"]
            label = f"decoded pictures, {plain(quantity)}, PSNR"
            yield {"kind": "psnr", "label": label, "beside": (("mean frame", floor),), **_mean(own)}


def distance_regret(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the regret in final distance; there may be others, of the regret in success."""
    return rows[(rows.metric == "regret") & (rows.quantity.isna() | (rows.quantity == "final_distance"))]


def _by_goal(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame, tuple[tuple[str, float], ...]]]:
    """Yields goal, planner, the model's rows and the reference planners' means; `uniform` goals first."""
    for goal in sorted(rows.goal.dropna().unique(), key=lambda goal: (goal != "uniform", goal)):
        of_goal = rows[rows.goal == goal]
        means = of_goal.groupby("planner").value.mean()
        beside = tuple((name, float(means[name])) for name in REFERENCE_PLANNERS if name in means)
        for planner in sorted(set(means.index) - set(REFERENCE_PLANNERS)):
            yield goal, planner, of_goal[of_goal.planner == planner], beside


def _mean(rows: pd.DataFrame) -> dict[str, Any]:
    """Returns the mean of several rows' figures.

    Its interval has the mean ends of theirs: at least as wide as the true one, however the rows hang together.
    """
    low, high = rows.ci_low.mean(), rows.ci_high.mean()
    return {
        "value": float(rows.value.mean()),
        "ci_low": None if math.isnan(low) else float(low),
        "ci_high": None if math.isnan(high) else float(high),
        # Several quantities are read from the same samples, several seeds from others.
        "n": int(rows.groupby("seed").n.max().sum()),
        "seeds": _seeds(rows),
        "unit": str(rows.unit.iloc[0]),
    }


def _seeds(rows: pd.DataFrame) -> tuple[int, ...]:
    return tuple(sorted(int(seed) for seed in rows.seed.unique()))


def _named(planner: str, rows: pd.DataFrame) -> str:
    """Returns the planner's name where more than one of the model's planners is shown."""
    return f" ({planner})" if rows.planner.nunique() > len(REFERENCE_PLANNERS) + 1 else ""


def digits(value: float) -> str:
    """Returns a figure with three decimals, a large one with fewer, and a dash for none."""
    if math.isnan(value):
        return "–"
    decimals = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:.{decimals}f}".replace("-", "−")


def plain(name: str) -> str:
    """Returns an identifier as words, a very long one cut short: it labels an axis or a tile."""
    return (name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…").replace("_", " ")


def goal_words(goal: str) -> str:
    """Returns a kind of goal as it is said before the word `goals`."""
    return plain(goal).replace(" ", "-")
