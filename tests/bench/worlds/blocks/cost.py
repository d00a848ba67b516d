"""What each job of a world took: wall time, work, memory, from the jobs' own logs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from infra.storage import Store
from pipelines.store.logs import JobStatus, job_status, unit_statuses
from tests.bench.worlds.blocks.cells import NONE, Shown, table
from tests.bench.worlds.blocks.facts import duration
from tests.bench.worlds.reading.seeds import rounded


def costs(store: Store, datasets: Sequence[str], models: Sequence[str]) -> list[dict[str, Any]]:
    """Returns a row for each finished job that left a log: collections, and each model's training, heads, judgement.

    Of a job that was begun again and found its work done, it is the work of the earlier runs that counts.
    """
    asked = [("collect", dataset) for dataset in datasets]
    asked += [(kind, model) for model in models for kind in ("pretrain", "fit-heads", "evaluate")]
    found = [job_status(store, f"{kind}-{name}", datetime.now(UTC)) for kind, name in asked]
    return [_cost(store, job) for job in found if job is not None and job.record.ended is not None]


def cost(figures: Mapping[str, Any]) -> Shown:
    """Returns the jobs in a table."""
    lines = [
        (
            f"{row['job']} `{row['of']}`",
            row["workers"] or NONE,
            NONE if row["wall_seconds"] is None else duration(row["wall_seconds"]),
            duration(row["work_seconds"]),
            NONE if row["peak_memory_mb"] is None else f"{row['peak_memory_mb']:,.0f}",
        )
        for row in figures["cost"]
    ]
    if not lines:
        return Shown("No job left a log.", frozenset({"cost"}))
    head = ("job", "workers", "wall time", "work, summed over its units", "most memory of a worker, MB")
    return Shown(table(head, lines), frozenset({"cost"}))


def _cost(store: Store, job: JobStatus) -> dict[str, Any]:
    record, units = job.record, unit_statuses(store, job)
    newest = [unit.record for unit in units if not unit.earlier]
    counted = newest or [unit.record for unit in units]
    memory = [unit.peak_memory_mb for unit in counted if unit.peak_memory_mb is not None]
    wall = (record.ended - record.started).total_seconds() if newest and record.ended else None
    return {
        "job": record.kind,
        "of": record.name,
        "workers": record.config.get("actors", record.config.get("workers")),
        "wall_seconds": rounded(wall),
        "work_seconds": rounded(sum(unit.seconds or 0 for unit in counted)),
        "peak_memory_mb": rounded(max(memory, default=None)),
    }
