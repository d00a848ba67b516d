"""Training curves: the loss and its terms, the annealed weight, and the latents' health."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from pipelines.reports.origins import Names, by_origin, told_apart
from pipelines.reports.page.style import SERIES, canvas, svg
from pipelines.reports.words import plain

TERMS = ("loss", "prediction")
"""Share a panel, beside anything else that is called a loss."""
SPREADS = ("latent_std_max", "latent_std_median", "latent_std", "latent_std_min")
"""Share a panel: the dimension that collapses first is seen beside the others."""
FIRST = ("sigreg", "lambda", "effective_rank")
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
    rest = sorted({*names} - {*terms, *spreads}, key=lambda name: (name not in FIRST, name))
    return shared + [Panel(TITLES.get(name, plain(name)), (name,), log=name in LOGARITHMIC) for name in rest]


def training_curves(training: pd.DataFrame, names: Names) -> Markup:
    """Returns a chart of the `training` table: a panel for each group of metrics, a curve for each training."""
    trainings = list(by_origin(training, "training"))
    curves = dict(zip(map(" ".join, told_apart([origin for origin, _ in trainings], names)), trainings, strict=True))
    shown = panels(sorted(training.metric.unique()))
    columns = 4 if len(shown) > 6 else 2 if len(shown) == 4 else min(3, len(shown))
    rows = -(-len(shown) // columns)
    with canvas(rows, columns, (10.5, 2.5 * rows)) as (figure, axes):
        for ax, panel in zip(axes, shown, strict=False):
            _draw(ax, panel, {name: rows for name, (_, rows) in curves.items()})
        for ax in axes[len(shown) :]:
            ax.set_visible(False)
        return svg(figure, "Training curves by optimiser step: " + ", ".join(panel.title for panel in shown))


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
