"""Training curves: the loss and its terms, the annealed weight, and the latents' health."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from pipelines.reports.html.style import SERIES, canvas, svg
from pipelines.reports.summary import plain

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


def training_curves(training: pd.DataFrame) -> Markup:
    """Returns a chart of the `training` table: a panel for each group of metrics, a curve for each model and seed."""
    shown = panels(sorted(training.metric.unique()))
    columns = 4 if len(shown) > 6 else 2 if len(shown) == 4 else min(3, len(shown))
    rows = -(-len(shown) // columns)
    with canvas(rows, columns, (10.5, 2.5 * rows)) as (figure, axes):
        for ax, panel in zip(axes, shown, strict=False):
            _draw(ax, panel, training)
        for ax in axes[len(shown) :]:
            ax.set_visible(False)
        return svg(figure, "Training curves by optimiser step: " + ", ".join(panel.title for panel in shown))


def _draw(ax: Axes, panel: Panel, training: pd.DataFrame) -> None:
    rows = training[training.metric.isin(panel.metrics)]
    several = len(rows[["model", "seed"]].drop_duplicates()) > 1
    for index, (curve, points) in enumerate(rows.groupby(["metric", "model", "seed"], sort=True)):
        points = points.sort_values("step").iloc[:: max(1, len(points) // POINTS)]
        metric, model, seed = curve
        name = " ".join(
            [SPREAD_NAMES.get(metric, plain(metric))] * (len(panel.metrics) > 1) + [f"{model} seed {seed}"] * several
        )
        colour = SERIES[index % len(SERIES)]
        ax.plot(points.step, points.value, color=colour, label=name)
    ax.set_title(panel.title)
    ax.set_xlabel("optimiser step")
    # Within less than a decade a logarithmic axis may show no number at all.
    if panel.log and rows.value.min() > 0 and rows.value.max() > 10 * rows.value.min():
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    if len(panel.metrics) > 1 or several:
        ax.legend(frameon=False, fontsize=8, handlelength=1.2)
