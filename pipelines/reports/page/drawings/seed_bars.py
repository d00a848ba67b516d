"""Bars of a study's table: for each value of a column the mean over seeds, with Student's 95 % interval."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup

from jepa.studies.claims import mean_interval
from pipelines.reports.page.drawings.bars import BarChart
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block

SPLIT = {"split": "seeds"}
"""Bars have a row of panels for each split; the seeds of a study are one."""


@DRAWINGS.register("seed_bars")
class SeedBars(Drawing):
    """A bar for each value of the column `label`.

    Options: `label`; `panel`, a column with a panel for each of its values; `title` of the axis.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        label = subject.column("label")
        panel = subject.column("panel") if subject.option("panel") else ""
        chart = BarChart(label=label, panel=panel, title=str(subject.option("title", "")))
        yield Block(self._content(chart, subject), subject.heading)

    def _content(self, chart: BarChart, subject: Subject) -> Markup:
        columns = [chart.label] + ([chart.panel] if chart.panel else [])
        rows = [
            {**dict(zip(columns, values, strict=True)), **over_seeds(own), **SPLIT}
            for values, own in subject.rows.dropna(subset=columns).groupby(columns, sort=True)
        ]
        return chart.draw(pd.DataFrame(rows), subject.heading or chart.title)


def over_seeds(rows: pd.DataFrame) -> dict[str, float]:
    """Returns mean and interval over seeds; a seed that has several rows counts once, with their mean."""
    one = mean_interval(rows.groupby("seed")["value"].mean().to_numpy(dtype=float))
    low, high = (one.low, one.high) if np.isfinite([one.low, one.high]).all() else (np.nan, np.nan)
    return {"value": one.value, "ci_low": low, "ci_high": high}
