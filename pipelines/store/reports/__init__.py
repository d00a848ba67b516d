"""Report tables: their schema, the units of work that fill them, the runs that collect units, and reading."""

from pipelines.store.reports.runs import RunPlan, latest_run, plan_run, run_names, run_plans, units_of_run
from pipelines.store.reports.schema import SCHEMA_VERSION, SchemaError
from pipelines.store.reports.tables import read_table
from pipelines.store.reports.units import (
    Context,
    UnitManifest,
    committed_units,
    read_unit,
    read_units,
    unit_key,
    write_table,
    write_tables,
)

__all__ = [
    "SCHEMA_VERSION",
    "Context",
    "RunPlan",
    "SchemaError",
    "UnitManifest",
    "committed_units",
    "latest_run",
    "plan_run",
    "read_table",
    "read_unit",
    "read_units",
    "run_names",
    "run_plans",
    "unit_key",
    "units_of_run",
    "write_table",
    "write_tables",
]
