"""Probe scatter plots: what a probe reads from the latents against what is true."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from jepa.evaluation.kinds.probing.report import MAIN
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import BLUE, MUTED, canvas, svg
from pipelines.reports.selection import select
from pipelines.reports.words import digits, plain

COLUMNS = 4
FIT = ["probe", "quantity"]


@DRAWINGS.register("probe_scatter")
class ProbeScatter(Drawing):
    """Every probe's readings, with its R² where `metrics` has it."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        metrics = select(subject.metrics, {"metric": "r2", **MAIN})
        fits = {(str(probe), str(quantity)): own.value.mean() for (probe, quantity), own in metrics.groupby(FIT)}
        yield Block(probe_scatter(subject.rows, fits, subject.amounts.points), subject.heading)


def probe_scatter(predictions: pd.DataFrame, fits: Mapping[tuple[str, str], float], points: int) -> Markup:
    """Returns a scatter plot for each probe, quantity and dimension of the `predictions` table of one model and split.

    Args:
        predictions: the rows.
        fits: R² by probe and quantity, for the titles.
        points: at most so many are drawn in each plot, evenly spread over the rows.
    """
    panels = list(predictions.groupby(["probe", "quantity", "dimension"], sort=True))
    # As many columns as fill a probe's rows evenly, so that the next probe begins a new one.
    each = -(-len(panels) // predictions.probe.nunique())
    columns = -(-each // -(-each // COLUMNS))
    rows = -(-len(panels) // columns)
    sizes = predictions.groupby("quantity").dimension.nunique()
    with canvas(rows, columns, (10.5, 2.9 * rows)) as (figure, axes):
        for position, (ax, (key, panel)) in enumerate(zip(axes, panels, strict=False)):
            probe, quantity, dimension = (str(part) for part in key)
            name = plain(quantity) + (f" {dimension}" if sizes[quantity] > 1 else "")
            fit = f"\nR² {digits(fits[probe, quantity])}" if (probe, quantity) in fits else ""
            _draw(ax, f"{plain(probe)} · {name}{fit}", panel, points)
            if position % columns == 0:
                ax.set_ylabel("predicted")
        for ax in axes[len(panels) :]:
            ax.set_visible(False)
        return svg(figure, "Predicted against true values of each probed quantity")


def _draw(ax: Axes, title: str, rows: pd.DataFrame, points: int) -> None:
    target, predicted = rows.target.to_numpy(), rows.predicted.to_numpy()
    shown = np.linspace(0, len(rows) - 1, min(points, len(rows))).astype(int)
    low, high = target.min(), target.max()
    margin = 0.08 * (high - low or 1.0)
    ax.plot([low - margin, high + margin], [low - margin, high + margin], color=MUTED, linewidth=0.8, zorder=1)
    ax.plot(target[shown], predicted[shown], "o", markersize=2.6, color=BLUE, alpha=0.45, markeredgewidth=0, zorder=2)
    ax.set_title(title, fontsize=9.5)
    unit = rows.unit.iloc[0]
    ax.set_xlabel(f"true ({unit})" if unit not in ("", "1") else "true")
    ax.set_xlim(low - margin, high + margin)
    # A wild prediction must not squeeze the cloud; the axis shows what lies within twice the true range.
    ax.set_ylim(max(predicted.min(), low - (high - low)) - margin, min(predicted.max(), high + (high - low)) + margin)
