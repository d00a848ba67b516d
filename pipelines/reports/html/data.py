"""Everything that one report shows, read from the store once."""

from dataclasses import dataclass

import pandas as pd

from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.reports.summary import Headline, headlines
from pipelines.store.reports.schema import TABLES
from pipelines.store.reports.tables import UnitManifest, committed_units, read_table

DETAILS = ["goal", "planner", "probe", "quantity", "shift", "strength"]
METRICS_ORDER = ["model", "evaluation", "split", "protocol", *DETAILS, "metric", "seed"]
"""Columns that tell the rows of `metrics` apart, in reading order."""


@dataclass(frozen=True)
class ReportData:
    """The rows of a run by table, and what was made of them."""

    run: str
    tables: dict[str, pd.DataFrame]
    units: list[UnitManifest]
    headlines: list[Headline]

    def names(self, field: str) -> list[str]:
        """Returns the distinct `model`, `dataset`, `world` or `code_version` of the run's units."""
        return sorted({getattr(unit, field) for unit in self.units} - {""})

    @property
    def metrics(self) -> pd.DataFrame:
        """The `metrics` rows in reading order."""
        return self.tables["metrics"]


def read_run(store: Store, run: str) -> ReportData:
    """Returns all committed rows of a run.

    Raises:
        InputError: the store holds none; the message names the runs that it holds.
    """
    every = committed_units(store)
    units = [unit for unit in every if unit.run == run]
    if not units:
        runs = sorted({unit.run for unit in every})
        known = f"choose one of: {', '.join(runs)}" if runs else "evaluate a model first"
        raise InputError(f"run {run!r} has no results in store {store.uri!r}; {known}")
    tables = {table: read_table(store, table, run=run).compute() for table in TABLES}
    if tables["training"].empty:
        # The models may have been trained in a run before this one.
        curves = read_table(store, "training")
        tables["training"] = curves[curves.model.isin(sorted({unit.model for unit in units}))].compute()
    tables["metrics"] = tables["metrics"].sort_values(METRICS_ORDER, ignore_index=True)
    return ReportData(run, tables, units, headlines(tables["metrics"]))


def latest_run(store: Store | str) -> str:
    """Returns the run whose results were written last.

    Raises:
        InputError: the store holds none.
    """
    units = committed_units(store)
    if not units:
        uri = store if isinstance(store, str) else store.uri
        raise InputError(f"store {uri!r} holds no results; evaluate a model first")
    return max(units, key=lambda unit: unit.created_at).run
