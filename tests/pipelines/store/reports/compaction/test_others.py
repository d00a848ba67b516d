"""What DuckDB is given to read a table with: each row once, whatever is compacted, done again or removed."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.parquet import parquet_bytes, read_parquet
from pipelines.store.removal import plan_removal, remove
from pipelines.store.reports import committed_units, plan_run, read_table, units, write_tables
from pipelines.store.reports.compaction import index, sweep
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.compaction.others import view_of
from pipelines.store.sealed import seal, sha256
from tests.narrow import queried
from tests.pipelines.reports import synthetic
from tests.pipelines.store.reports.compaction.stage import ROWS, in_all_ways, of_glob, put

SHIFT: dict[str, Any] = {
    "evaluation": "latent",
    "protocol": "two-room-v1",
    "seed": 0,
    "figure": "rank",
    "label": "rank",
}
SHIFT |= {
    "unit": "1",
    "percent": False,
    "less_is_better": False,
    "value": 1.0,
    "n": 5,
    "usual_value": 2.0,
    "usual_n": 5,
}
SHIFT |= {"usual_dataset": "d0@1", "difference": -1.0, "cells": 1}


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "it's a store"))


def of_query(store: Store) -> Counter[tuple[str, int]]:
    """Returns how often the query of `jepa reports sql` finds each row of `metrics`."""
    rows = queried(f"SELECT metric, value::INT FROM ({view_of(store, 'metrics').sql})").fetchall()
    return Counter((str(metric), int(value)) for metric, value in rows)


def expected(**attempts: int) -> Counter[tuple[str, int]]:
    return Counter({(f"{key}/{row}", attempt): 1 for key, attempt in attempts.items() for row in range(ROWS)})


def test_the_query_finds_each_row_once_where_a_glob_does_not(local: Store) -> None:
    assert of_query(local) == Counter()
    for key in "abcd":
        put(local, key, 1, run=f"r-{key}")
        plan_run(local, f"r-{key}", [key], {})
    assert of_query(local) == of_glob(local) == expected(a=1, b=1, c=1, d=1)
    compact(local)
    put(local, "b", 2, force=True)
    put(local, "e", 1)
    right = expected(a=1, b=2, c=1, d=1, e=1)
    assert of_query(local) == right and of_glob(local) == right + expected(b=1)
    view = view_of(local, "metrics")
    assert sorted((one.rows, one.superseded) for one in view.files) == [(2, 0), (2, 0), (6, 2)]
    compact(local)
    assert of_query(local) == of_glob(local) == right
    # What is removed is gone for all at once, without another compaction.
    remove(local, plan_removal(local, "run", "r-c"))
    right = expected(a=1, b=2, d=1, e=1)
    assert of_query(local) == of_glob(local) == right
    assert in_all_ways(local, ["a", "b", "c"]) == {"a": 1, "b": 2, "d": 1, "e": 1}
    put(local, "c", 3)
    assert in_all_ways(local, ["c"])["c"] == 3, "a removed unit can be done again"
    compact(local)
    assert in_all_ways(local, ["c"])["c"] == 3


def test_a_query_whose_files_were_compacted_since_fails_and_gives_no_wrong_rows(local: Store) -> None:
    put(local, "a", 1)
    query = view_of(local, "metrics").sql
    compact(local)
    with pytest.raises(Exception, match="No files found"):
        queried(query).fetchall()


def test_the_query_counts_no_dead_row_where_a_compaction_comes_while_it_is_made(
    local: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in "abc":
        put(local, key, 1)
    compact(local)
    put(local, "c", 2, force=True)
    read = index.read_compacted

    def another_comes_after_it(store: Store) -> object:
        found = read(store)
        monkeypatch.setattr(units, "read_compacted", read)
        with monkeypatch.context() as killed:
            killed.setattr(sweep, "sweep", lambda *arguments, **options: 0)  # before it deletes old files
            compact(store)
        return found

    monkeypatch.setattr(units, "read_compacted", another_comes_after_it)
    assert of_query(local) == expected(a=1, b=1, c=2)


@pytest.mark.parametrize("shifts", [False, True], ids=["no shifts", "shifts"])
@pytest.mark.parametrize("checkpoints", [False, True], ids=["no checkpoints", "checkpoints"])
def test_the_query_gives_the_rows_that_read_table_gives(checkpoints: bool, shifts: bool, local: Store) -> None:
    beside: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {"training_step": 10},
        "c": {"factor": "door", "factor_value": 0.1},
    }
    beside["d"] = beside["b"] | beside["c"]

    def add(end: str) -> None:
        for key, facts in beside.items():
            rows = {"metrics": [synthetic.metric("latent", f"{key}{end}/0", 1.0)]}
            write_tables(local, rows, f"{key}{end}", synthetic.context(**facts))

    def found() -> list[str]:
        asked = view_of(local, "metrics", checkpoints=checkpoints, shifts=shifts)
        right = read_table(local, "metrics", checkpoints=checkpoints, shifts=shifts).compute()
        rows = [str(metric) for (metric,) in queried(f"SELECT metric FROM ({asked.sql}) ORDER BY 1").fetchall()]
        assert rows == sorted(right.metric)
        return rows

    right = ["a/0", *(["b/0"] if checkpoints else []), *(["c/0"] if shifts else [])]
    right += ["d/0"] if checkpoints and shifts else []
    add("")
    assert found() == right
    compact(local)
    assert found() == right
    write_tables(local, {"metrics": [synthetic.metric("latent", "a/0", 2.0)]}, "a", synthetic.context(), replace=True)
    add("2")
    assert found() == sorted([*right, *(f"{name[0]}2/0" for name in right)])


def test_files_of_earlier_code_without_these_columns_are_read_beside_shifts(local: Store) -> None:
    """None of the files that are left has the column by which others are left out."""
    put(local, "a", 1)
    (path,) = local.list("reports/kind=metrics/")
    data = parquet_bytes(read_parquet(local.read(path)).drop_columns(["factor", "factor_value", "training_step"]))
    (early,) = (part for part in committed_units(local)[0].parts if part.table == "metrics")
    early = early.model_copy(update={"sha256": sha256(data)})
    early = early.model_copy(update={"path": f"reports/kind=metrics/part-a.{sha256(data)[:12]}.parquet"})
    local.delete(path)
    local.write(early.path, data)
    unit = committed_units(local)[0].model_copy(update={"parts": (early,)})
    local.write(unit.name.path, seal(unit.model_dump_json(indent=1).encode()))
    shifted = synthetic.context(factor="door", training_step=3)
    write_tables(local, {"metrics": [synthetic.metric("latent", "b/0", 1.0)]}, "b", shifted)
    for _ in range(2):
        asked = view_of(local, "metrics", checkpoints=False, shifts=False)
        assert queried(f"SELECT metric FROM ({asked.sql}) ORDER BY 1").fetchall() == [("a/0",), ("a/1",)]
        compact(local)


def test_the_table_of_shifts_is_given_in_any_case(local: Store) -> None:
    write_tables(local, {"shifts": [SHIFT]}, "s", synthetic.context(factor="door", factor_value=0.1))
    asked = view_of(local, "shifts", checkpoints=False, shifts=False)
    assert len(queried(asked.sql).fetchall()) == len(read_table(local, "shifts")) == 1


def test_a_table_that_is_none_is_refused(local: Store) -> None:
    with pytest.raises(InputError, match="report table 'metric' is not known"):
        view_of(local, "metric")
    assert not issubclass(InputError, InfraError)
