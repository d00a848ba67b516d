"""Horizontal bars with 95 % intervals, a panel for each split and each value of one more column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.style import BLUE, INK, canvas, svg, valued
from pipelines.reports.selection import reading_order
from pipelines.reports.words import digits, value_words

MANY = 10
"""Bars that have room."""
NARROWEST = 2.4
"""Inches of a panel that its title fits in."""
HALF, LEAST = 5.0, 2.8
"""Inches of a chart of one panel, and of the panel at least: another chart fits beside it."""
WIDEST = 10.5
"""Inches of a chart that the page shows at its own size."""


@dataclass(frozen=True)
class BarChart:
    """Which columns make the bars and the panels, and how they look."""

    label: str
    """column whose values name the bars"""
    panel: str = ""
    """column with a panel for each of its values"""
    panel_title: str = "{}"
    """words for a panel, around its value"""
    title: str = ""
    """what the bars measure, with its unit"""
    percent: bool = False
    """whether values are rates to be shown in per cent"""
    colours: Mapping[str, str] = field(default_factory=dict)
    """by label, where not blue"""
    words: Mapping[Any, str] = field(default_factory=dict)
    """by label, in the order of the bars; none are the labels' own words, in reading order"""

    def draw(self, rows: pd.DataFrame, description: str) -> Markup:
        """Returns the chart of rows with `split`, `value`, `ci_low` and `ci_high`."""
        panels = _values(rows, self.panel) if self.panel else [None]
        held = _values(rows, self.label)
        labels = [label for label in self.words if label in held] if self.words else held
        splits = sorted(rows.split.unique())
        # Names stand once, at the left; many bars are thinner.
        longest = max((len(self._word(label)) for label in labels), default=0)
        margin = 0.075 * longest + 0.4
        # Many panels make a chart that is shown smaller, for their titles need room.
        width = max(min(WIDEST, 4.0 * len(panels) + margin), NARROWEST * len(panels) + margin)
        width = width if len(panels) > 1 else max(HALF, LEAST + margin)
        size = (width, (0.9 + (0.42 if len(labels) <= MANY else 0.26) * len(labels)) * len(splits))
        with canvas(len(splits), len(panels), size, sharex=True, sharey=True) as (figure, axes):
            for ax, (split, panel) in zip(axes, [(s, p) for s in splits for p in panels], strict=True):
                shown = rows[rows.split == split]
                shown = shown if panel is None else shown[shown[self.panel] == panel]
                for position, label in enumerate(labels):
                    own = shown[shown[self.label] == label]
                    if len(own):
                        self._bar(ax, position, label, own)
                words = [] if panel is None else [self.panel_title.format(value_words(self.panel, panel))]
                ax.set_title(" · ".join([*words, *([f"{split} episodes"] * (len(splits) > 1))]))
                self._axes(ax, labels)
                ax.set_xlabel(self.title if split == splits[-1] else "")
            low, high = axes[0].get_xlim()
            if rows.value.min() < 0:
                # Words stand left of bars below zero, and the names of bars left of these.
                axes[0].set_xlim(low - 0.12 * (high - low), high)
            return svg(figure, description)

    def _word(self, label: Any) -> str:
        return self.words.get(label, value_words(self.label, label))

    def _axes(self, ax: Axes, labels: list[Any]) -> None:
        ax.set_yticks(range(len(labels)), [self._word(label) for label in labels])
        ax.tick_params(axis="y", labelcolor=INK, length=0)
        ax.set_ylim(len(labels) - 0.5, -0.5)
        ax.grid(visible=False, axis="y")
        ax.margins(x=0.16)
        if self.percent:
            ax.set_xlim(0, 118)
            ax.set_xticks([0, 25, 50, 75, 100])

    def _bar(self, ax: Axes, position: int, label: Any, rows: pd.DataFrame) -> None:
        scale = 100 if self.percent else 1
        own = float(rows["value"].mean())
        value, low, high = scale * own, *(scale * float(rows[name].mean()) for name in ("ci_low", "ci_high"))
        if not np.isfinite(value):
            return
        ax.barh(position, value, height=0.62, color=self.colours.get(label, BLUE))
        ends = [value]
        if np.isfinite([low, high]).all():
            ax.plot([low, high], [position, position], color=INK, linewidth=1.2, solid_capstyle="butt")
            ends += [low, high]
        text = f"{value:.0f} %" if self.percent else digits(value)
        # Outside of the bar, beyond the interval: words over either cannot be read.
        end, shift, side = (min(ends), -5, "right") if value < 0 else (max(ends), 5, "left")
        place: dict[str, Any] = {"textcoords": "offset points", "ha": side, "va": "center"}
        valued(ax.annotate(text, (end, position), (shift, 0), color=INK, fontsize=9, **place), own)


@DRAWINGS.register("bars")
class Bars(Drawing):
    """A bar for each value of the column `label`, of the `metrics` table.

    Options: `label`; `panel`, a column with a panel for each of its values; `title` of the axis, in which `{unit}` is
    the rows' unit; `percent`.
    """

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        chart = BarChart(
            label=subject.column("label", "metric"),
            panel=subject.column("panel") if subject.option("panel") else "",
            title=bar_title(subject),
            percent=bool(subject.option("percent", False)),
        )
        yield Block(chart.draw(subject.rows, subject.heading or chart.title), subject.heading)


def bar_title(subject: Subject) -> str:
    """Returns what the bars measure, by the chart's option `title`."""
    # Replaced and not formatted: a unit comes from someone's input.
    return str(subject.option("title", "")).replace("{unit}", str(subject.rows.unit.iloc[0]))


def _values(rows: pd.DataFrame, column: str) -> list[Any]:
    return sorted(rows[column].dropna().unique(), key=reading_order)
