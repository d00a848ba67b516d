"""Report tables: their schema, the units of work that fill them, the runs that collect units, and reading."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.store.reports.manifest import Context, UnitManifest, unit_key
    from pipelines.store.reports.runs.plan import RunPlan
    from pipelines.store.reports.runs.plans import plan_run, run_plans
    from pipelines.store.reports.runs.results import latest_run, require_run, run_names, units_of_run
    from pipelines.store.reports.schema import SchemaError
    from pipelines.store.reports.tables import read_table
    from pipelines.store.reports.units import committed_units, read_unit, read_units
    from pipelines.store.reports.version import SCHEMA_VERSION
    from pipelines.store.reports.writing import write_table, write_tables

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
    "require_run",
    "run_names",
    "run_plans",
    "unit_key",
    "units_of_run",
    "write_table",
    "write_tables",
]

offer_lazily(__name__)
