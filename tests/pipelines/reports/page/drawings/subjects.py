"""Rows as drawings get them."""

from typing import Any

import pandas as pd

from jepa.evaluation.declarations import Chart
from pipelines.reports.page.drawings import DRAWINGS, Subject
from pipelines.reports.page.elements.blocks import Amounts, Block
from pipelines.store.reports.rows import to_arrow, to_pandas
from tests.pipelines.reports import synthetic

AMOUNTS = Amounts(episodes=4, frames=9, paths=4, points=500)


def frame(table: str, rows: list[synthetic.Row]) -> pd.DataFrame:
    """Returns rows as they come back from a store."""
    return to_pandas(to_arrow(table, rows, {**synthetic.context().model_dump(), "schema_version": 1}))


def drawn(
    name: str, table: str, rows: pd.DataFrame, metrics: pd.DataFrame | None = None, /, **options: Any
) -> list[Block]:
    """Returns the blocks of a drawing under the heading `Chart`."""
    chart = Chart(name, table=table, heading="Chart", options=options)
    metrics = frame("metrics", []) if metrics is None else metrics
    return list(DRAWINGS.get(name)().draw(Subject(chart, rows, metrics, " · scope", AMOUNTS)))
