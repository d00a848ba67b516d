"""Tables: read back with the fixed schema, on a local folder and on S3, by our reader and by others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.parquet import parquet_bytes, read_parquet
from pipelines.store.reports import SCHEMA_VERSION, Context, read_table, write_table, write_tables
from pipelines.store.reports.schema import table_schema, tables
from pipelines.store.sealed import sha256
from tests.narrow import queried
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.evaluated import film_rows

MAKERS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "metrics": synthetic.planning_metrics,
    "episodes": lambda: synthetic.planning_episodes(2),
    "steps": lambda: synthetic.surprise_steps(2),
    "doses": synthetic.surprise_doses,
    "predictions": lambda: synthetic.predictions(5),
    "films": lambda: film_rows(1, 3),
    "pictures": lambda: synthetic.decoding_rows()["pictures"],
    "training": lambda: synthetic.training_rows(50),
    "claims": synthetic.claim_rows,
    "spectrum": synthetic.spectrum_rows,
    "geometry": synthetic.geometry_rows,
    "regret_problems": lambda: synthetic.regret_rows()["regret_problems"],
    "regret_candidates": lambda: synthetic.regret_rows()["regret_candidates"],
}


def nested(value: Any) -> Any:
    """Returns lists for what may come back as arrays, and None for what is missing."""
    if isinstance(value, list | np.ndarray):
        return [nested(item) for item in value]
    return None if value is None or pd.isna(value) else value


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def test_every_table_is_tested_here() -> None:
    assert set(MAKERS) | {"shifts"} == set(tables())


@pytest.mark.parametrize("table", MAKERS)
@pytest.mark.parametrize("context", [synthetic.context(), synthetic.older_context()], ids=["today", "older"])
def test_an_empty_store_gives_empty_frames_of_the_same_types_as_full_ones(
    store: Store, table: str, context: Context
) -> None:
    empty = read_table(store, table)
    assert list(empty.columns) == table_schema(table).names and len(empty) == 0
    write_table(store, table, MAKERS[table](), "unit", context)
    full = read_table(store.uri, table)
    assert full.dtypes.equals(empty.dtypes) and full.compute().dtypes.equals(empty.dtypes)


@pytest.mark.parametrize("table", MAKERS)
def test_rows_come_back_as_they_were_written(store: Store, table: str) -> None:
    rows, context = MAKERS[table](), synthetic.context()
    write_table(store, table, rows, "unit", context)
    frame = read_table(store, table).compute()
    assert len(frame) == len(rows)
    for name in {name for row in rows for name in row}:
        assert [nested(value) for value in frame[name]] == [nested(row.get(name)) for row in rows]
    # The heads stand in the unit's manifest alone.
    for name, value in context.model_dump(exclude={"created_at", "heads"}).items():
        assert {nested(found) for found in set(frame[name])} == {value}, name
    assert set(frame.created_at) == {pd.Timestamp(context.created_at)} and set(frame.schema_version) == {SCHEMA_VERSION}


def test_wrong_names_are_answered_with_the_right_ones(local: Store) -> None:
    with pytest.raises(InputError, match=r"'metric' is not known.*metrics"):
        read_table(local, "metric")
    with pytest.raises(InputError, match=r"'valeu'.*value"):
        read_table(local, "metrics", columns=["valeu"])


def test_only_the_wanted_columns_runs_and_units_are_read(local: Store) -> None:
    synthetic.write_run(local, "run-1")
    units = synthetic.write_run(local, "run-2")
    assert list(read_table(local, "metrics", columns=["value", "n"]).compute().columns) == ["value", "n"]
    assert set(read_table(local, "metrics", run="run-2").compute().run) == {"run-2"}
    (surprise,) = [unit for unit in units if unit.key == "run-2-surprise"]
    assert set(read_table(local, "metrics", units=[surprise]).compute().metric) == {"auroc"}
    query = read_table(local, "episodes")
    task = query[query.success].groupby("planner").final_distance.mean().optimize()
    assert "start_frame" not in str(task.expr.tree_repr()) and "final_distance" in str(task.expr.tree_repr())


def test_a_version_that_is_missing_in_some_rows_stays_a_whole_number_and_a_key(local: Store) -> None:
    write_tables(local, {"metrics": synthetic.surprise_metrics()}, "old", synthetic.older_context())
    write_tables(local, {"metrics": synthetic.surprise_metrics()}, "new", synthetic.context(dataset_version=2))
    metrics = read_table(local, "metrics")
    counts = metrics.groupby("dataset_version", dropna=False).value.count().compute()
    assert {None if pd.isna(version) else version: n for version, n in counts.items()} == {None: 2, 2: 2}
    assert str(counts.index.dtype) == "Int64"


def test_many_small_files_share_partitions(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.store.reports.tables.PARTS_PER_PARTITION", 16)
    for number in range(40):
        write_tables(local, {"metrics": synthetic.surprise_metrics()}, f"unit-{number}", synthetic.context())
    frame = read_table(local, "metrics")
    assert frame.npartitions == 3 and len(frame) == 40 * len(synthetic.surprise_metrics())


def test_duckdb_and_pandas_read_the_files_as_they_are(local: Store) -> None:
    synthetic.write_run(local)
    pattern = local.address("reports/kind=metrics").removeprefix("file://")
    found = queried(f"SELECT count(*), avg(value) FROM '{pattern}/*.parquet' WHERE metric = 'auroc'").fetchall()
    frame = pd.read_parquet(pattern)
    aurocs = frame[frame.metric == "auroc"].value
    assert found == [(len(aurocs), pytest.approx(aurocs.mean()))] and len(aurocs) == 2


def test_a_file_that_was_replaced_while_it_was_read_is_named(local: Store) -> None:
    unit = write_tables(local, {"metrics": synthetic.surprise_metrics()}, "unit", synthetic.context())
    metrics = read_table(local, "metrics")
    local.delete(unit.parts[0].path)
    with pytest.raises(InfraError, match="is gone: lost, or its unit was evaluated again meanwhile; read again"):
        metrics.compute()


def test_a_file_without_the_columns_of_its_version_is_named(local: Store) -> None:
    unit = write_tables(local, {"metrics": synthetic.surprise_metrics()}, "unit", synthetic.context())
    less = parquet_bytes(read_parquet(local.read(unit.parts[0].path)).drop_columns(["metric"]))
    part = unit.parts[0].model_copy(update={"sha256": sha256(less)})
    local.write(part.path, less)
    metrics = read_table(local, "metrics", units=[unit.model_copy(update={"parts": (part,)})])
    with pytest.raises(InfraError, match=r"is not as this code reads it: .* lacks the columns \['metric'\]"):
        metrics.compute()


def test_only_the_files_that_can_hold_a_kind_are_read(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"planning": synthetic.planning_metrics(), "surprise": synthetic.surprise_metrics()}
    units = {
        kind: write_tables(local, {"metrics": rows}, f"any-{kind}", synthetic.context()) for kind, rows in kinds.items()
    }
    older = write_tables(local, {"metrics": synthetic.probing_metrics()}, "older", synthetic.older_context())
    document = json.loads(local.read("reports/manifests/older.json"))
    for later in ("kinds", "own_sha256"):
        del document[later]
    for part in document["parts"]:
        del part["sha256"]
    local.write("reports/manifests/older.json", json.dumps(document).encode())
    frame = read_table(local, "metrics", kinds=["surprise"])
    local.delete(units["planning"].parts[0].path)
    assert set(frame.compute().evaluation) == {"surprise", "probing"}, "what older code wrote may hold any kind"
    assert older.kinds == frozenset({"probing"}) and units["surprise"].kinds == frozenset({"surprise"})


def test_a_manifest_is_read_once_and_again_when_it_was_replaced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        write_tables(store, {"metrics": synthetic.surprise_metrics()}, f"unit-{number}", synthetic.context())
    read: list[str] = []
    held = type(store).read

    def watched(self: Store, path: str) -> bytes:
        read.append(path)
        return held(self, path)

    monkeypatch.setattr(type(store), "read", watched)
    assert len(read_table(store, "metrics")) == 6
    read.clear()
    assert len(read_table(store, "metrics")) == 6 and not [path for path in read if "manifests" in path]
    write_tables(store, {"metrics": synthetic.planning_metrics()}, "unit-1", synthetic.context(), replace=True)
    read.clear()
    assert len(read_table(store, "metrics")) == 4 + len(synthetic.planning_metrics())
    assert [path for path in read if "manifests" in path] == ["reports/manifests/unit-1.json"]
    store.delete("reports/manifests/unit-2.json")
    assert len(read_table(store, "metrics")) == 2 + len(synthetic.planning_metrics())


def test_what_cannot_have_changed_is_read_once(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.store.reports import tables as module

    write_tables(local, {"metrics": synthetic.surprise_metrics()}, "first", synthetic.context())
    read: list[str] = []

    def counted(store: Store, path: str) -> bytes:
        read.append(path)
        return store.read(path)

    monkeypatch.setattr(module, "read_if_there", counted)
    first = read_table(local, "metrics").compute()
    second = write_tables(local, {"metrics": synthetic.planning_metrics()}, "second", synthetic.context())
    assert len(read_table(local, "metrics").compute()) == len(first) + second.parts[0].rows
    assert len(read) == len(set(read)) == 2
