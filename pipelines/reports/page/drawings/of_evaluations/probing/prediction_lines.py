"""R² of probes that read predictions, by how many action blocks they are ahead, beside that of baselines."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import BLUE, GREEN, GREY, ORANGE, PINK, canvas, svg
from pipelines.reports.selection import grouped, reading_order
from pipelines.reports.words import plain

Floats = NDArray[np.float64]
COLUMNS = 3
"""Panels side by side at most."""
PROBES = {"linear": BLUE, "mlp": ORANGE}
BASELINES = {"state": GREY, "pixels_pca": GREEN, "untrained": PINK}
LEVELS = (-1.0, 0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)
"""R² that are written at the axis; what lies beyond the last or the first is drawn there."""


@DRAWINGS.register("prediction_lines")
class PredictionLines(Drawing):
    """A panel for each quantity of the `r2` rows of one model and split, all of them together first."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        rows = subject.measured("value").rows
        if (rows.latents == "prediction").any():
            yield Block(prediction_lines(rows), subject.heading)


def prediction_lines(rows: pd.DataFrame) -> Markup:
    """Returns the chart: a line with its 95 % band for each probe, a dashed level for each baseline."""
    held = rows[rows.latents == "prediction"].quantity.unique()
    quantities = sorted(held, key=lambda name: (name != "all", reading_order(name)))
    across = min(COLUMNS, len(quantities))
    down = -(-len(quantities) // across)
    low, high = _ends(rows)
    with canvas(down, across, (min(10.5, 4.2 * across + 1.5), 3.0 * down), sharey=True) as (figure, axes):
        for position, (ax, quantity) in enumerate(zip(axes, quantities, strict=False)):
            ax.set_yscale("function", functions=(_nines, _from_nines))
            _draw(ax, rows[rows.quantity == quantity], low, high)
            ax.set_title("all quantities" if quantity == "all" else plain(quantity))
            ax.set_xlabel("action blocks ahead")
            ax.set_ylabel("" if position % across else "R²")
        for ax in axes[len(quantities) :]:
            ax.set_visible(False)
        axes[0].set_ylim(low, high)
        axes[0].yaxis.set_major_locator(FixedLocator([level for level in LEVELS if low <= level <= high]))
        axes[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes[0].legend(frameon=False, fontsize=8)
        return svg(figure, "R² of probes by action blocks ahead, beside baselines")


def _nines(r2: ArrayLike) -> Floats:
    """Returns what R² is drawn at: a step up wherever what is missing to 1 falls to a tenth."""
    height: Floats = -np.log10(np.clip(1 - np.asarray(r2, dtype=float), 1e-9, None))
    return height


def _from_nines(height: ArrayLike) -> Floats:
    r2: Floats = 1.0 - np.power(10.0, -np.asarray(height, dtype=np.float64))
    return r2


def _ends(rows: pd.DataFrame) -> tuple[float, float]:
    """Returns the levels between which all but the state lies, as far as there are such."""
    drawn = rows[(rows.latents == "prediction") | rows.latents.isin([*BASELINES])]
    low, high = drawn.value.min(), drawn[drawn.latents != "state"].value.max()
    below, above = ([level for level in LEVELS if level <= low], [level for level in LEVELS if level >= high])
    return (below or LEVELS[:1])[-1], (above or LEVELS[-1:])[0]


def _draw(ax: Axes, rows: pd.DataFrame, low: float, high: float) -> None:
    for values, own in grouped(rows[rows.latents == "prediction"], ["probe"]):
        probe = str(values["probe"])
        curve = own.astype({"blocks_ahead": int}).groupby("blocks_ahead")[["value", "ci_low", "ci_high"]].mean()
        curve = curve.clip(low, high)
        colour = PROBES.get(probe, BLUE)
        ax.fill_between(curve.index, curve.ci_low, curve.ci_high, color=colour, alpha=0.22, linewidth=0)
        ax.plot(curve.index, curve.value, color=colour, marker="o", markersize=2.8, label=f"{plain(probe)} probe")
    for latents, colour in BASELINES.items():
        own = rows[rows.latents == latents]
        if len(own):
            ax.axhline(
                np.clip(own.value.mean(), low, high), color=colour, linewidth=1.1, linestyle="--", label=plain(latents)
            )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
