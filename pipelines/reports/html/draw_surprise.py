"""Surprise over time: how far the prediction is off, frame by frame, around an event that physics does not allow."""

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from jepa.evaluation.statistics import Z_95
from pipelines.reports.html.style import GREY, INK, MUTED, ORANGE, canvas, svg
from pipelines.reports.summary import plain

COLUMNS = 2


def surprise_curves(steps: pd.DataFrame, aurocs: dict[str, float]) -> Markup:
    """Returns a chart of mean surprise with its 95 % band by time from the event, a panel for each perturbation.

    Args:
        steps: rows of the `steps` table of one model and split.
        aurocs: AUROC by shift, for the titles.
    """
    shifts = sorted(steps["shift"].unique())
    columns = min(COLUMNS, len(shifts))
    rows = -(-len(shifts) // columns)
    with canvas(rows, columns, (10.5 if columns > 1 else 6.5, 3.0 * rows)) as (figure, axes):
        for ax, shift in zip(axes, shifts, strict=False):
            _draw(ax, steps[steps["shift"] == shift])
            auroc = f" · AUROC {aurocs[shift]:.3f}" if shift in aurocs else ""
            ax.set_title(plain(shift) + auroc)
        for ax in axes[len(shifts) :]:
            ax.set_visible(False)
        return svg(figure, "Mean surprise before and after each perturbation, beside the same episodes without it")


def _draw(ax: Axes, steps: pd.DataFrame) -> None:
    for perturbed, colour in ((False, GREY), (True, ORANGE)):
        rows = steps[steps.perturbed == perturbed]
        if rows.empty:
            continue
        curve = mean_and_band(rows)
        ax.fill_between(curve.index, curve.low.clip(lower=0), curve.high, color=colour, alpha=0.22, linewidth=0)
        name = f"{'perturbed' if perturbed else 'untouched'}, {rows.episode.nunique()} episodes"
        ax.plot(curve.index, curve["mean"], color=colour, marker="o", markersize=2.8, label=name)
    ax.axvline(0, color=INK, linewidth=1, linestyle=(0, (3, 2)))
    top = ax.get_xaxis_transform()
    ax.text(0, 0.98, "event ", transform=top, ha="right", va="top", color=MUTED)
    ax.set_ylim(0, 1.25 * ax.get_ylim()[1])  # room for the legend
    ax.set_xlabel("environment steps from the event")
    ax.set_ylabel("squared latent error")
    ax.legend(frameon=False, fontsize=8.5, loc="upper right")


def mean_and_band(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns `mean`, `low` and `high` (95 %, normal, over episodes) by steps from the event."""
    surprise = rows.assign(time=rows.step - rows.event_step).groupby("time").surprise
    mean, half = surprise.mean(), Z_95 * surprise.std(ddof=1).fillna(0.0) / np.sqrt(surprise.count())
    # The rarest times, which few episodes reach, have a band that says nothing.
    enough = surprise.count() >= 0.5 * surprise.count().max()
    return pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half})[enough]
