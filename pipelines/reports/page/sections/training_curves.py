"""Training curves: the loss and its terms, the annealed weight, and the latents' health."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from pipelines.reports.origins import Names, by_origin, told_apart
from pipelines.reports.page.elements.numbers import shown
from pipelines.reports.page.elements.style import SERIES, canvas, svg
from pipelines.reports.words import plain

TERMS = ("loss", "prediction")
"""Share a panel, beside anything else that is called a loss."""
SPREADS = ("latent_std_max", "latent_std_median", "latent_std", "latent_std_min")
"""Share a panel: the dimension that collapses first is seen beside the others."""
FIRST = ("sigreg", "lambda", "effective_rank", "straightness", "latent_mean_max", "gradient_norm", "learning_rate")
"""What says how well it learned, before what says how fast it ran."""
TITLES = {"lambda": "λ, weight of SIGReg", "sigreg": "SIGReg of latents", "latent_mean_max": "latents' largest mean"}
LOGARITHMIC = ("sigreg", "gradient_norm")
SPREAD_NAMES = {"latent_std": "mean", **{f"latent_std_{name}": name for name in ("max", "median", "min")}}
POINTS = 400
"""A curve is thinned to about so many points; more cannot be seen."""


@dataclass(frozen=True)
class Panel:
    """Curves that share an axis; `metrics` says which by name."""

    title: str
    metrics: tuple[str, ...]
    log: bool = False


def panels(names: list[str]) -> list[Panel]:
    """Returns the panels for the logged metrics: the losses together, the latents' spreads, all else by itself."""
    terms = tuple(name for name in names if name in TERMS or "loss" in name)
    spreads = tuple(name for name in SPREADS if name in names)
    shared = [Panel("loss and prediction", terms, log=True)] * bool(terms)
    shared += [Panel("latents' spread", spreads)] * bool(spreads)
    rest = sorted(
        {*names} - {*terms, *spreads}, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)
    )
    return shared + [Panel(TITLES.get(name, plain(name)), (name,), log=name in LOGARITHMIC) for name in rest]


def constants(training: pd.DataFrame) -> dict[str, float]:
    """Returns the metrics that have one and the same value at every step of every training, and need no plot.

    What was logged once only did not stay the same: there is nothing that it could have differed from.
    """
    values = training.dropna(subset=["value"]).groupby("metric").value.agg(["min", "max", "size"])
    same = values[(values["min"] == values["max"]) & (values["size"] > 1)]
    return {str(name): float(value) for name, value in same["min"].items()}


def constants_list(training: pd.DataFrame) -> Markup:
    """Returns the metrics that stayed the same as a line of names and values, nothing where there are none."""
    items = [
        Markup("<li>{} {}</li>").format(TITLES.get(name, plain(name)), shown(f"{value:g}", value))
        for name, value in constants(training).items()
    ]
    if not items:
        return Markup("")
    return Markup('<div class="constants"><p>Constant throughout</p><ul>{}</ul></div>').format(Markup("").join(items))


def training_curves(training: pd.DataFrame, names: Names) -> Markup:
    """Returns a chart of the `training` table: a panel for each group of metrics, a curve for each training.

    What stayed the same is no curve; see `constants_list`.
    """
    training = training[~training.metric.isin(constants(training))]
    if training.empty:
        return Markup("")
    trainings = list(by_origin(training, "training"))
    curves = dict(zip(map(" ".join, told_apart([origin for origin, _ in trainings], names)), trainings, strict=True))
    drawn = panels(sorted(training.metric.unique()))
    columns = 4 if len(drawn) > 6 else 2 if len(drawn) == 4 else min(3, len(drawn))
    rows = -(-len(drawn) // columns)
    with canvas(rows, columns, (10.5, 2.5 * rows)) as (figure, axes):
        for ax, panel in zip(axes, drawn, strict=False):
            _draw(ax, panel, {name: rows for name, (_, rows) in curves.items()})
        for ax in axes[len(drawn) :]:
            ax.set_visible(False)
        return svg(figure, "Training curves by optimiser step: " + ", ".join(panel.title for panel in drawn))


def _draw(ax: Axes, panel: Panel, trainings: Mapping[str, pd.DataFrame]) -> None:
    """Draws the panel's metrics of each training, whose name is needed, and given, only where there are several."""
    curves = {
        (metric, training): rows[rows.metric == metric].sort_values("step")
        for metric in sorted(panel.metrics)
        for training, rows in trainings.items()
    }
    low, high = float("inf"), float("-inf")
    for index, ((metric, training), points) in enumerate(curves.items()):
        if points.empty:
            continue
        low, high = min(low, points.value.min()), max(high, points.value.max())
        points = points.iloc[:: max(1, len(points) // POINTS)]
        words = [SPREAD_NAMES.get(metric, plain(metric))] * (len(panel.metrics) > 1) + [training]
        ax.plot(points.step, points.value, color=SERIES[index % len(SERIES)], label=" ".join(words).strip())
    ax.set_title(panel.title)
    ax.set_xlabel("optimiser step")
    # Within less than a decade a logarithmic axis may show no number at all.
    if panel.log and low > 0 and high > 10 * low:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    if len(curves) > 1:
        ax.legend(frameon=False, fontsize=8, handlelength=1.2)
