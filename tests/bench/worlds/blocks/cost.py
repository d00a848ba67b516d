"""What each job of a world took: wall time, work, memory, from the jobs' own logs."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from infra.storage import Store
from pipelines.store.logs import JobStatus, UnitStatus, job_status, unit_statuses
from tests.bench.worlds.blocks.cells import NONE, Shown, table
from tests.bench.worlds.blocks.facts import duration
from tests.bench.worlds.reading.seeds import rounded


def costs(store: Store, datasets: Sequence[str], models: Sequence[str]) -> list[dict[str, Any]]:
    """Returns a row for each finished job that left a log: collections, and each model's training, heads, judgement.

    Of a job that was begun again, it is the work of all its runs that counts, and no wall time is said.
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
    record, done = job.record, done_units(unit_statuses(store, job))
    memory = [unit.record.peak_memory_mb for unit in done if unit.record.peak_memory_mb is not None]
    of_one_run = bool(done) and not any(unit.earlier for unit in done)
    wall = (record.ended - record.started).total_seconds() if record.ended and of_one_run else None
    return {
        "job": record.kind,
        "of": record.name,
        "workers": record.config.get("actors", record.config.get("workers")),
        "wall_seconds": rounded(wall),
        "work_seconds": rounded(sum(unit.record.seconds or 0 for unit in done)),
        "peak_memory_mb": rounded(max(memory, default=None)),
    }


def done_units(units: Sequence[UnitStatus]) -> list[UnitStatus]:
    """Returns the units that came to their end, each as it was done last, whatever its settings were before."""
    found: dict[str, UnitStatus] = {}
    for unit in sorted((one for one in units if one.status == "done"), key=lambda one: one.record.started):
        found[re.sub(r"-[0-9a-f]{16}(?=\.|$)", "", unit.record.name)] = unit
    return [*found.values()]
