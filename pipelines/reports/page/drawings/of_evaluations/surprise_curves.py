"""Surprise over time: how far the prediction is off, frame by frame, around an event that physics does not allow."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from jepa.evaluation.statistics import Z_95
from pipelines.reports.page.blocks import Block
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.strips import strip
from pipelines.reports.page.style import GREY, INK, MUTED, ORANGE, canvas, svg
from pipelines.reports.words import plain

COLUMNS = 2


@DRAWINGS.register("surprise_curves")
class SurpriseCurves(Drawing):
    """Surprise around each event, and frames of an example where they were kept."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        metrics = subject.metrics[subject.metrics.metric == "auroc"]
        aurocs = {str(shift): own.value.mean() for shift, own in metrics.groupby("shift")}
        yield Block(surprise_curves(subject.rows, aurocs), subject.heading)
        # A strip's caption says all there is to say.
        yield from (Block(own, reading="") for own in event_strips(subject.rows, subject.amounts.frames))


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
    counts = surprise.count().to_numpy()
    enough = counts >= 0.5 * counts.max(initial=0)
    curve: pd.DataFrame = pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half})[enough]
    return curve


def event_strips(steps: pd.DataFrame, frames: int) -> Iterator[Markup]:
    """Yields the frames around the event of one episode for each perturbation, the event's marked."""
    kept = steps[steps.frame.notna() & steps.perturbed]
    for shift, rows in kept.groupby("shift"):
        rows = rows.sort_values(["seed", "episode", "step"])
        rows = rows[(rows.seed == rows.seed.iloc[0]) & (rows.episode == rows.episode.iloc[0])]
        nearest = (rows.step - rows.event_step).abs().sort_values(kind="stable").index[:frames]
        rows = rows.loc[sorted(nearest, key=lambda index: rows.step[index])]
        event = f"step {rows.event_step.iloc[0]}"
        shown = [(f"step {step}", bytes(frame)) for step, frame in zip(rows.step, rows.frame, strict=True)]
        yield strip(shown, f"Episode {rows.episode.iloc[0]} · {plain(str(shift))} at {event}", event)
