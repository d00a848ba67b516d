"""Held-out figures of a training's checkpoints against its steps, beside the loss."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from pipelines.reports.origins import MISSING
from pipelines.reports.page.elements.style import SERIES, canvas, svg
from pipelines.reports.selection import grouped
from pipelines.reports.summary import Headline, headlines

COLUMNS = 3
"""Panels side by side at most."""
ALIKE = (
    "model",
    "dataset",
    "dataset_version",
    "dataset_digest",
    "protocol",
    "protocol_digest",
    "seed",
    "problems_digest",
)
"""Columns in which a checkpoint's rows are those of its model; weights and version of the evaluation aside."""


@dataclass(frozen=True)
class Point:
    """A headline figure after some steps."""

    step: int
    figure: Headline


def checkpoint_curves(checkpoints: pd.DataFrame, metrics: pd.DataFrame, training: pd.DataFrame) -> Markup | None:
    """Returns a chart with a panel for each headline figure and one for the loss; None where no checkpoint was judged.

    Args:
        checkpoints: rows of `metrics` with a `training_step`.
        metrics: rows of the models themselves, which are drawn at the last step of their training.
        training: rows of the table `training`.
    """
    if checkpoints.empty:
        return None
    points = [*_points(checkpoints), *_final(checkpoints, metrics, training)]
    kinds = list(dict.fromkeys(point.figure.kind for point in points))
    loss = training[training.metric == "loss"] if len(training) else training
    panels = len(kinds) + bool(len(loss))
    columns = 2 if panels == 4 else min(COLUMNS, panels)
    rows = -(-panels // columns)
    with canvas(rows, columns, (10.5, 2.8 * rows)) as (figure, axes):
        for ax, kind in zip(axes, kinds, strict=False):
            _draw(ax, [point for point in points if point.figure.kind == kind])
        if len(loss):
            _draw_loss(axes[len(kinds)], loss)
        for ax in axes[panels:]:
            ax.set_visible(False)
        return svg(figure, f"Figures of checkpoints by training step: {', '.join(kinds)}")


def _points(rows: pd.DataFrame) -> Iterator[Point]:
    for step, own in rows.groupby("training_step"):
        yield from (Point(int(str(step)), figure) for figure in headlines(own))


def _final(checkpoints: pd.DataFrame, metrics: pd.DataFrame, training: pd.DataFrame) -> Iterator[Point]:
    """Yields the figures of the models themselves, of those whose checkpoints were judged in the same way."""
    judged = {_alike(values) for values, _ in grouped(checkpoints, ALIKE)}
    for values, own in grouped(metrics, (*ALIKE, "model_digest")):
        steps = training[training.model == values["model"]].step if len(training) else training
        if _alike(values) in judged and len(steps):
            yield from (Point(int(steps.max()), figure) for figure in headlines(own))


def _alike(values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(MISSING.get(values.get(column), values.get(column)) for column in ALIKE)


def _draw(ax: Axes, points: Sequence[Point]) -> None:
    """Draws a curve for each figure of one kind: goal, planner, quantity …, and split."""
    curves: dict[str, list[Point]] = {}
    for point in sorted(points, key=lambda one: one.step):
        curves.setdefault(_name(point.figure, points), []).append(point)
    scale = 100 if points[0].figure.percent else 1
    for index, (name, own) in enumerate(curves.items()):
        steps = [point.step for point in own]
        colour = SERIES[index % len(SERIES)]
        ax.plot(
            steps, [scale * point.figure.value for point in own], marker="o", markersize=3, color=colour, label=name
        )
        bounds = [(point.figure.ci_low, point.figure.ci_high) for point in own]
        known = [(step, low, high) for step, (low, high) in zip(steps, bounds, strict=True) if None not in (low, high)]
        if known:
            at, lows, highs = zip(*known, strict=True)
            ax.fill_between(
                at, [scale * low for low in lows], [scale * high for high in highs], color=colour, alpha=0.12
            )
    figure = points[0].figure
    unit = "%" if figure.percent else figure.unit_text
    ax.set_title(figure.kind.replace("_", " ") + (f", {unit}" if unit else ""))
    ax.set_xlabel("optimiser step")
    if len(curves) > 1:
        ax.legend(frameon=False, fontsize=7, handlelength=1.2)


def _name(figure: Headline, points: Sequence[Point]) -> str:
    """Returns what tells a curve from the others of its panel."""
    words = [figure.label]
    for column in ("split", "model", "dataset", "protocol", "seed"):
        if len({getattr(point.figure, column) for point in points}) > 1:
            words.append(str(getattr(figure, column)))
    return " · ".join(words)


def _draw_loss(ax: Axes, loss: pd.DataFrame) -> None:
    for index, (model, own) in enumerate(loss.groupby("model")):
        curve = own.sort_values("step")
        ax.plot(curve.step, curve.value, color=SERIES[index % len(SERIES)], label=str(model))
    ax.set_title("training loss")
    ax.set_xlabel("optimiser step")
