"""A small store whose rows say which attempt at which unit they are of, and what readers of it see."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from infra.storage import Store, open_store
from infra.storage.local import LocalStore
from pipelines.store.reports import UnitManifest, committed_units, read_units, run_plans, write_tables
from pipelines.store.reports.tables import piece_of, read_parts
from tests.narrow import queried
from tests.pipelines.reports import synthetic

MUTATIONS = ("write", "write_if_absent", "delete")
ROWS = 2
"""Rows of each unit in each of its tables."""


class Killed(BaseException):
    """The process ends here."""


def put(
    store: Store, key: str, attempt: int, *, force: bool = False, run: str = "r", model: str = "m0"
) -> UnitManifest:
    """Writes a unit of two tables, each row of which has the attempt as its value."""
    metrics = [synthetic.metric("latent", f"{key}/{row}", float(attempt)) for row in range(ROWS)]
    training = [{"seed": 0, "step": row + 1, "metric": key, "value": float(attempt)} for row in range(ROWS)]
    tables: dict[str, Any] = {"metrics": metrics, "training": training}
    return write_tables(store, tables, key, synthetic.context(run, model), replace=force)


def seen(rows: pd.DataFrame) -> dict[str, int]:
    """Returns which attempt rows of `metrics` are of, by unit; fails where a row is there twice or missing."""
    counts = Counter(zip(rows.metric, rows.value.astype(int), strict=True))
    assert set(counts.values()) <= {1}, f"rows are there twice: {counts}"
    attempts: dict[str, int] = {}
    whole: Counter[str] = Counter()
    for name, attempt in counts:
        key = str(name).partition("/")[0]
        assert attempts.setdefault(key, attempt) == attempt, f"rows of two attempts at {key}: {counts}"
        whole[key] += 1
    assert set(whole.values()) <= {ROWS}, f"rows are missing: {counts}"
    return attempts


def rows_of(store: Store, table: str) -> pd.DataFrame:
    """Returns all rows of a table; as `read_table` reads them, but without Dask, for there are many looks."""
    parts = [part for unit in committed_units(store) for part in unit.parts if part.table == table]
    return read_parts([piece_of(part) for part in parts], store.uri, table, follow=True)


def in_all_ways(store: Store, keys: Sequence[str]) -> dict[str, int]:
    """Returns which attempt readers see of each unit; fails where one way to read a store sees others than another."""
    attempts = seen(rows_of(store, "metrics"))
    assert {unit.key for unit in committed_units(store)} == set(attempts)
    assert set(read_units(store, keys)) == set(attempts) & set(keys)
    training = rows_of(store, "training")
    assert Counter(training.metric) == dict.fromkeys(attempts, ROWS)
    assert {str(name): int(value) for name, value in zip(training.metric, training.value, strict=True)} == attempts
    return attempts


def listed(store: Store, run: str | None = None) -> dict[str, list[tuple[str, ...]]]:
    """Returns what units each run lists, plan by plan, in their order; fails where a plan is there twice."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for plan in run_plans(store, run):
        found.setdefault(plan.run, []).append(plan.units)
    counts = Counter((run, frozenset(units)) for run, every in found.items() for units in every)
    assert set(counts.values()) <= {1}, f"plans are there twice: {counts}"
    return found


def planned(store: Store) -> dict[str, list[tuple[str, ...]]]:
    """Returns what units each run lists; fails where one sees others who asks for one run, or for all."""
    found = listed(store)
    assert {run: listed(store, run)[run] for run in found} == found
    return {run: sorted(every) for run, every in found.items()}


def of_glob(store: Store) -> Counter[tuple[str, int]]:
    """Returns how often a program sees each row that reads all files of `metrics`."""
    files = f"{store.uri}/reports/kind=metrics/*.parquet".replace("'", "''")
    rows = queried(f"SELECT metric, value::INT FROM read_parquet('{files}', union_by_name = true)").fetchall()
    return Counter((str(metric), int(value)) for metric, value in rows)


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, step: Callable[[int, str, str], None]) -> Iterator[list[str]]:
    """Calls `step` with a number, the operation and the path before everything that changes a local store.

    Gives the paths of these steps.
    """
    steps: list[str] = []
    busy: list[bool] = []

    def patched(name: str) -> Callable[..., Any]:
        real = getattr(LocalStore, name)

        def operation(self: LocalStore, path: str, *data: bytes) -> Any:
            if not busy:
                busy.append(True)
                steps.append(path)
                try:
                    step(len(steps) - 1, name, path)
                finally:
                    busy.pop()
            return real(self, path, *data)

        return operation

    with monkeypatch.context() as patch:
        for name in MUTATIONS:
            patch.setattr(LocalStore, name, patched(name))
        patch.setattr("os.fsync", lambda descriptor: None)
        for module in ("units", "runs.plans", "compaction.compact", "compaction.sweep"):
            patch.setattr(f"pipelines.store.reports.{module}.ThreadPool", InTurn)
        yield steps


class InTurn:
    """A pool of no threads, so that operations come in one order."""

    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> "InTurn":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """Does the work item by item."""
        return map(work, items)


def copied(store: Store, to: Path) -> Store:
    """Returns a copy of a local store."""
    shutil.copytree(store.uri, to)
    return open_store(str(to))
