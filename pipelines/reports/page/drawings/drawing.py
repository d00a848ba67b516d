"""What a drawing is: a registered way of making blocks of the page from the rows that a chart names."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry
from jepa.evaluation.declarations import Chart
from pipelines.reports.page.elements.blocks import Amounts, Block

ROOM = "pipelines.reports.page.drawings"


@dataclass(frozen=True)
class Subject:
    """What is drawn: the rows of one origin that a chart asks for."""

    chart: Chart
    rows: pd.DataFrame
    metrics: pd.DataFrame
    """all `metrics` rows of the same origin and evaluation"""
    scope: str
    """what tells this origin from the others that the chart is drawn for, e.g. ` · m1 · unseen episodes`, or nothing"""
    amounts: Amounts

    @property
    def heading(self) -> str:
        """Returns the chart's heading with the scope, nothing where the chart has none."""
        return f"{self.chart.heading}{self.scope}" if self.chart.heading else ""

    def option(self, name: str, default: Any = None) -> Any:
        """Returns an option of the chart."""
        return self.chart.options.get(name, default)

    def column(self, name: str, default: str | None = None) -> str:
        """Returns the column of the rows that an option of the chart names.

        Raises:
            InputError: the chart does not name one, or the rows do not have it.
        """
        column = self.option(name, default)
        if column not in self.rows:
            raise InputError(
                f"option {name} of a chart of drawing {self.chart.drawing!r} is {column!r}; "
                f"name a column of table {self.chart.table!r}: {', '.join(self.rows.columns)}"
            )
        return str(column)

    def measured(self, *columns: str) -> "Subject":
        """Returns the same without the rows in which one of these columns holds no finite number.

        Raises:
            InputError: a column holds no numbers but words.
        """
        numbers = pd.DataFrame(index=self.rows.index)
        for column in columns:
            try:
                numbers[column] = pd.to_numeric(self.rows[column]).to_numpy(dtype=float, na_value=np.nan)
            except (ValueError, TypeError) as error:
                raise InputError(
                    f"column {column!r} of table {self.chart.table!r} holds no numbers; a chart of drawing "
                    f"{self.chart.drawing!r} needs them there"
                ) from error
        return replace(self, rows=self.rows[np.isfinite(numbers.to_numpy()).all(axis=1)])


class Drawing(ABC):
    """A way of drawing, registered under the name by which charts ask for it."""

    tells_apart: ClassVar[tuple[str, ...]] = ()
    """fields of the origin that it shows beside each other itself, e.g. splits in panels"""

    @abstractmethod
    def draw(self, subject: Subject) -> Iterator[Block]:
        """Yields blocks; one without a reading of its own gets the chart's."""


DRAWINGS: Registry[type[Drawing]] = Registry(
    "drawing",
    {
        "bars": f"{ROOM}.bars",
        "candidate_scatter": f"{ROOM}.of_evaluations.regret_decomposition.candidate_scatter",
        "decoding_curves": f"{ROOM}.of_evaluations.decoding.decoding_curves",
        "dose_response": f"{ROOM}.of_evaluations.surprise.dose_response",
        "figure_table": f"{ROOM}.figure_table",
        "films": f"{ROOM}.of_evaluations.planning.films",
        "film_strips": f"{ROOM}.of_evaluations.decoding.film_strips",
        "heat_map": f"{ROOM}.heat_map",
        "lines": f"{ROOM}.lines",
        "path_scenes": f"{ROOM}.of_evaluations.planning.path_scenes",
        "planner_bars": f"{ROOM}.of_evaluations.planning.planner_bars",
        "planner_lines": f"{ROOM}.of_evaluations.planning.planner_lines",
        "prediction_lines": f"{ROOM}.of_evaluations.probing.prediction_lines",
        "probe_scatter": f"{ROOM}.of_evaluations.probing.probe_scatter",
        "quality_by_seconds": f"{ROOM}.of_evaluations.planning.quality_by_seconds",
        "regret_parts": f"{ROOM}.of_evaluations.regret_decomposition.regret_parts",
        "scatter": f"{ROOM}.scatter",
        "seed_bars": f"{ROOM}.seed_bars",
        "seed_lines": f"{ROOM}.seed_lines",
        "strips": f"{ROOM}.strips",
        "surprise_curves": f"{ROOM}.of_evaluations.surprise.surprise_curves",
        "table": f"{ROOM}.table",
    },
)
