"""R² of probes that read predictions, by how many action blocks they are ahead, beside that of baselines."""

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipelines.reports.page.blocks import Block
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.style import BLUE, GREEN, GREY, ORANGE, PINK, canvas, svg
from pipelines.reports.selection import grouped, reading_order
from pipelines.reports.words import plain

COLUMNS = 3
"""Panels side by side at most."""
PROBES = {"linear": BLUE, "mlp": ORANGE}
BASELINES = {"state": GREY, "pixels_pca": GREEN, "untrained": PINK}
LOWEST = -0.1
"""R² below which a chart is cut: a line that leaves it says enough."""


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
    with canvas(down, across, (min(10.5, 4.2 * across + 1.5), 3.0 * down), sharey=True) as (figure, axes):
        for position, (ax, quantity) in enumerate(zip(axes, quantities, strict=False)):
            _draw(ax, rows[rows.quantity == quantity])
            ax.set_title("all quantities" if quantity == "all" else plain(quantity))
            ax.set_xlabel("action blocks ahead")
            ax.set_ylabel("" if position % across else "R²")
        for ax in axes[len(quantities) :]:
            ax.set_visible(False)
        axes[0].set_ylim(bottom=max(LOWEST, axes[0].get_ylim()[0]))
        axes[0].legend(frameon=False, fontsize=8)
        return svg(figure, "R² of probes by action blocks ahead, beside baselines")


def _draw(ax: Axes, rows: pd.DataFrame) -> None:
    for values, own in grouped(rows[rows.latents == "prediction"], ["probe"]):
        probe = str(values["probe"])
        curve = own.astype({"blocks_ahead": int}).groupby("blocks_ahead")[["value", "ci_low", "ci_high"]].mean()
        colour = PROBES.get(probe, BLUE)
        ax.fill_between(curve.index, curve.ci_low, curve.ci_high, color=colour, alpha=0.22, linewidth=0)
        ax.plot(curve.index, curve.value, color=colour, marker="o", markersize=2.8, label=f"{plain(probe)} probe")
    for latents, colour in BASELINES.items():
        own = rows[rows.latents == latents]
        if len(own):
            ax.axhline(own.value.mean(), color=colour, linewidth=1.1, linestyle="--", label=plain(latents))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
