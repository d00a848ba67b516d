"""Results as tidy Parquet tables, read back with Dask, summarised and shown."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.reports.queries import (
        dose_response,
        planning_against_compute,
        probe_error_by_latents,
        probe_error_by_quantity,
        success_by_world_and_model,
        surprise_by_perturbation,
    )
    from pipelines.reports.shifts import shift_matrix
    from pipelines.reports.summary import metrics_table
    from pipelines.store.reports import Context, read_table, read_unit, write_table, write_tables

__all__ = [
    "Context",
    "dose_response",
    "metrics_table",
    "planning_against_compute",
    "probe_error_by_latents",
    "probe_error_by_quantity",
    "read_table",
    "read_unit",
    "shift_matrix",
    "success_by_world_and_model",
    "surprise_by_perturbation",
    "write_table",
    "write_tables",
]

offer_lazily(__name__)
