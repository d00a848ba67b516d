"""Deletes what a generation supersedes: files of which their names alone say that nobody will ever read them."""

import re

from infra.processes.pool import ThreadPool
from infra.storage import Store
from pipelines.store.reports.compaction.generation import (
    COMPACTED,
    GENERATIONS,
    INDEXES,
    Generation,
    generation_stamps,
)
from pipelines.store.reports.manifest import REVISION
from pipelines.store.reports.runs.plans import PlanSnapshot, loose_plans
from pipelines.store.reports.units import READERS, Snapshot, look

PART = re.compile(rf"reports/kind=[^/]+/part-(?P<key>.+?)({REVISION})?(\.[0-9a-f]{{12}})?\.parquet")
"""A file of one unit."""
COPY = re.compile(rf"{INDEXES}/([0-9]{{6,}})\.json")
"""The copy of a generation."""


def sweep(store: Store) -> int:
    """Deletes what is superseded, and returns how many files that were.

    Rows before manifests: a program that reads all of `kind=metrics/*.parquet` sees them twice until then.
    """
    paths = superseded_files(store, look(store))
    with ThreadPool(READERS, "delete") as pool:
        list(pool.map(store.delete, paths))
    return len(paths)


def superseded_files(store: Store, snapshot: Snapshot) -> list[str]:
    """Returns the files that the newest generation supersedes, files of rows first; none where there is none.

    Each is of a number, or of a revision of a unit, that nobody writes again: whatever happens between the look and
    the deletion, it stays superseded.
    """
    if snapshot.compacted is None:
        return []
    generation = snapshot.compacted.generation
    rows = [path for path in store.list("reports/kind=") if _is_superseded(path, snapshot, generation)]
    beside = store.list(f"{INDEXES}/")
    indexes = [path for path in beside if _is_superseded(path, snapshot, generation)]
    manifests = [name.path for name in snapshot.superseded()]
    plans = [name.path for name in PlanSnapshot(loose_plans(store), snapshot.compacted).superseded()]
    # Numbers have at least six digits and are compared as such.
    earlier = [path for path in generation_stamps(store) if _number(path) < generation.number]
    # Also of one that was superseded and deleted before its copy was written.
    copies = [path for path in beside if (found := COPY.fullmatch(path)) and int(found[1]) < generation.number]
    return [*rows, *manifests, *plans, *indexes, *copies, *earlier]


def _is_superseded(path: str, snapshot: Snapshot, generation: Generation) -> bool:
    if found := COMPACTED.fullmatch(path):
        return int(found["number"]) <= generation.number and path not in generation.named
    if (part := PART.fullmatch(path)) is None or snapshot.compacted is None:
        return False
    return int(part["revision"] or 1) <= snapshot.compacted.revision(part["key"])


def _number(path: str) -> int:
    return int(path.removeprefix(f"{GENERATIONS}/").removesuffix(".json"))
