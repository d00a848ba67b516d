"""How strong an event must be to be noticed: the share of events that raise an alarm, by strength."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

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
from pipelines.reports.page.elements.style import BLUE, GREY, INK, ORANGE, canvas, svg
from pipelines.reports.words import plain


@DRAWINGS.register("dose_response")
class DoseResponse(Drawing):
    """A small chart for each perturbation, with the strength at which half of its events are noticed."""

    def draw(self, subject: Subject) -> Iterator[Block]:
        metrics = raw_one_step(subject.metrics)
        halves = by_shift(metrics, "half_noticed_strength")
        charts = []
        for shift, physical in perturbations(subject.metrics, subject.rows):
            rows = subject.rows[subject.rows["shift"] == shift].sort_values("strength")
            if rows.strength.nunique() < 2:
                continue
            half = halves.get(shift)
            with canvas(1, 1, PANEL) as (figure, (ax,)):
                _draw(ax, rows, ORANGE if physical else BLUE, half)
                titled(ax, f"{plain(shift)} · half from {{}}" if half is not None else _words(shift, rows), half)
                charts.append(svg(figure, f"Share of events noticed by strength of {plain(shift)}{subject.scope}"))
        if charts:
            yield Block(multiples(charts), subject.heading)


def _words(shift: str, rows: pd.DataFrame) -> str:
    never = rows.detection_rate.notna().any()
    return f"{plain(shift)} · half never noticed" if never else f"{plain(shift)} · no threshold"


def _draw(ax: Axes, rows: pd.DataFrame, colour: str, half: float | None) -> None:
    curve = rows.groupby("strength")[["auroc", "detection_rate", "detection_low", "detection_high"]].mean()
    ax.plot(curve.index, curve.auroc, color=GREY, linewidth=1.2, label="AUROC")
    noticed = curve.dropna(subset=["detection_rate"])
    if len(noticed):
        ends = np.abs(noticed[["detection_low", "detection_high"]].sub(noticed.detection_rate, axis=0).to_numpy().T)
        ax.errorbar(
            noticed.index, noticed.detection_rate, yerr=np.nan_to_num(ends), color=colour, marker="o", markersize=3.5,
            elinewidth=1.1, label="noticed",
        )  # fmt: skip
    if half is not None:
        ax.plot([half, half, 0], [0, 0.5, 0.5], color=INK, linewidth=1, linestyle=(0, (3, 2)))
    ax.set_ylim(0, 1.04)
    ax.set_xlim(left=0)
    ax.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    ax.set_xlabel(plain(str(rows.strength_unit.iloc[0])))
    ax.legend(frameon=False, fontsize=8.5, loc="lower right", labelspacing=0.2)
