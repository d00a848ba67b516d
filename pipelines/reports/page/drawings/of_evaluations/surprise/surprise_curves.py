"""Surprise over time: how far the prediction is off, frame by frame, around an event that physics does not allow."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from jepa.evaluation.statistics import Z_95
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.drawings.of_evaluations.surprise.perturbations import (
    PANEL,
    by_shift,
    multiples,
    perturbations,
    raw_one_step,
    titled,
)
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.strips import strip
from pipelines.reports.page.elements.style import BLUE, GREY, INK, MUTED, ORANGE, canvas, svg
from pipelines.reports.words import plain

LEAST = 1e-12
"""What is drawn at least, for the scale is logarithmic."""


@DRAWINGS.register("surprise_curves")
class SurpriseCurves(Drawing):
    """Surprise around each event, and frames of an example where they were kept."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        metrics = raw_one_step(subject.metrics)
        aurocs = by_shift(metrics, "auroc")
        thresholds = metrics[metrics.metric == "threshold"].value
        threshold = float(thresholds.mean()) if len(thresholds) else None
        steps = with_all_frames(subject.rows)
        if len(steps):
            charts = surprise_curves(steps, aurocs, threshold, subject.metrics, subject.scope)
            yield Block(charts, subject.heading)
        # A strip's caption says all there is to say.
        yield from (Block(own, reading="") for own in event_strips(subject.rows, subject.amounts.frames))


def surprise_curves(
    steps: pd.DataFrame, aurocs: dict[str, float], threshold: float | None, metrics: pd.DataFrame, scope: str
) -> Markup:
    """Returns charts of mean surprise with its 95 % band by time from the event, one for each perturbation.

    Args:
        steps: rows of the `steps` table of one model and split.
        aurocs: AUROC by shift, for the titles.
        threshold: over which surprise raises an alarm, where there is one.
        metrics: rows of the same origin, which say what perturbations are.
        scope: what tells the origin from others.
    """
    charts = []
    for shift, physical in perturbations(metrics, steps):
        with canvas(1, 1, PANEL) as (figure, (ax,)):
            _draw(ax, steps[steps["shift"] == shift], ORANGE if physical else BLUE, threshold)
            titled(ax, f"{plain(shift)} · AUROC {{}}" if shift in aurocs else plain(shift), aurocs.get(shift))
            description = f"Mean surprise before and after {plain(shift)}, beside the same episodes without it{scope}"
            charts.append(svg(figure, description))
    return multiples(charts)


def with_all_frames(steps: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of episodes that have one a frame; those of the event alone are no curve."""
    frames = steps.groupby(["seed", "shift", "episode", "perturbed"]).step.transform("nunique")
    return steps[frames > 1]


def _draw(ax: Axes, steps: pd.DataFrame, colour: str, threshold: float | None) -> None:
    ax.set_yscale("log")
    for perturbed, own in ((False, GREY), (True, colour)):
        curve = mean_and_band(steps[steps.perturbed == perturbed])
        ax.fill_between(curve.index, curve.low, curve.high, color=own, alpha=0.22, linewidth=0)
        ax.plot(curve.index, curve["mean"], color=own, marker="o", markersize=2.8)
    if threshold:
        ax.axhline(threshold, color=INK, linewidth=1, linestyle=(0, (1, 2)))
    ax.axvline(0, color=INK, linewidth=1, linestyle=(0, (3, 2)))
    ax.text(0, 0.99, "event ", transform=ax.get_xaxis_transform(), ha="right", va="top", color=MUTED)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.12)  # room for the word
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_xlabel(f"steps from the event, n {steps.episode.nunique()}")
    ax.set_ylabel("squared latent error")


def mean_and_band(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the geometric `mean`, `low` and `high` (95 %, lognormal, over episodes) by steps from the event.

    Surprise has a long tail: the plain mean of what is usual is that of its rarest values.
    """
    logarithm = np.log(rows.surprise.clip(lower=LEAST))
    surprise = rows.assign(time=rows.step - rows.event_step, surprise=logarithm).groupby("time").surprise
    mean, half = surprise.mean(), Z_95 * surprise.std(ddof=1).fillna(0.0) / np.sqrt(surprise.count())
    # The rarest times, which few episodes reach, have a band that says nothing.
    counts = surprise.count().to_numpy()
    enough = counts >= 0.5 * counts.max(initial=0)
    curve: pd.DataFrame = np.exp(pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half})[enough])
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
