"""Tables: written whole or not at all, read back with the fixed schema, on a local folder and on S3."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.reports.schema import SCHEMA_VERSION, TABLES, SchemaError, row_columns, table_schema
from pipelines.store.reports.tables import read_table, read_unit, to_arrow, write_table, write_tables
from tests.pipelines.reports import synthetic

MAKERS = {
    "metrics": synthetic.planning_metrics,
    "episodes": lambda: synthetic.planning_episodes(2),
    "steps": lambda: synthetic.surprise_steps(2),
    "predictions": lambda: synthetic.predictions(5),
    "pictures": lambda: synthetic.decoding_rows()["pictures"],
    "training": lambda: synthetic.training_rows(50),
}


def nested(value: Any) -> Any:
    """Returns lists for what may come back as arrays, and None for what is missing."""
    if isinstance(value, list | np.ndarray):
        return [nested(item) for item in value]
    return None if value is None or pd.isna(value) else value


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_store_gives_empty_frames_of_the_same_types_as_full_ones(store: Store, table: str) -> None:
    empty = read_table(store, table)
    assert list(empty.columns) == table_schema(table).names and len(empty) == 0
    write_table(store, table, MAKERS[table](), "unit", synthetic.context())
    full = read_table(store.uri, table)
    assert full.dtypes.equals(empty.dtypes) and full.compute().dtypes.equals(empty.dtypes)


@pytest.mark.parametrize("table", TABLES)
def test_rows_come_back_as_they_were_written(store: Store, table: str) -> None:
    rows, context = MAKERS[table](), synthetic.context()
    write_table(store, table, rows, "unit", context)
    frame = read_table(store, table).compute()
    assert len(frame) == len(rows)
    for name in {name for row in rows for name in row}:
        assert [nested(value) for value in frame[name]] == [nested(row.get(name)) for row in rows]
    assert set(frame.run) == {context.run} and set(frame.code_version) == {context.code_version}
    assert set(frame.created_at) == {pd.Timestamp(context.created_at)} and set(frame.schema_version) == {SCHEMA_VERSION}


def test_every_file_has_every_column_also_those_that_no_row_brought(local: Store) -> None:
    row = {"seed": 0, "step": 1, "metric": "loss", "value": 1.0}
    bare = synthetic.metric("latent", "effective_rank", 12.0)
    unit = write_tables(local, {"training": [row], "metrics": [bare]}, "unit", synthetic.context())
    for part in unit.parts:
        schema = pq.read_schema(io.BytesIO(local.read(part.path)))
        assert schema.equals(table_schema(part.table), check_metadata=True)


def test_a_unit_without_its_manifest_is_invisible(store: Store) -> None:
    unit = write_tables(store, {"metrics": synthetic.planning_metrics()}, "run-1-a", synthetic.context())
    store.delete("reports/manifests/run-1-a.json")
    assert store.exists(unit.parts[0].path)
    assert read_unit(store, "run-1-a") is None and len(read_table(store, "metrics")) == 0
    # Done again, it overwrites its own file: there is no second copy, for a glob neither.
    write_tables(store, {"metrics": synthetic.planning_metrics()}, "run-1-a", synthetic.context())
    assert len(read_table(store, "metrics")) == len(synthetic.planning_metrics())
    assert store.list("reports/kind=metrics/") == [unit.parts[0].path]


def test_the_first_commit_of_a_key_stands(local: Store) -> None:
    first = write_tables(local, {"metrics": synthetic.surprise_metrics()}, "key", synthetic.context())
    again = write_tables(local, {"metrics": synthetic.planning_metrics()}, "key", synthetic.context(run="run-2"))
    assert again == first == read_unit(local, "key")
    assert set(read_table(local, "metrics").compute().metric) == {"auroc"}


def test_many_writers_lose_nothing_and_double_nothing(store: Store) -> None:
    rows = synthetic.surprise_metrics()

    def write(number: int) -> None:
        write_tables(store, {"metrics": rows}, f"unit-{number % 10}", synthetic.context())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(20)))
    frame = read_table(store, "metrics").compute()
    assert len(frame) == 10 * len(rows) and len(store.list("reports/manifests/")) == 10


def test_a_failing_write_commits_nothing(local: Store) -> None:
    wrong = [{**synthetic.surprise_metrics()[0], "valeu": 1.0}]
    tables = {"training": synthetic.training_rows(10), "metrics": wrong}
    with pytest.raises(SchemaError, match=r"'metrics'.*valeu"):
        write_tables(local, tables, "key", synthetic.context())
    assert local.list("reports/") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"valeu": 1.0}, "its schema lacks.*valeu"),
        ({"run": "mine"}, "its schema lacks.*run"),
        ({"value": None}, "lacks the columns.*value"),
        ({"value": "high"}, "column 'value'.*double"),
        ({"n": 0.5}, "column 'n'.*int64"),
        ({"planner": 3}, "column 'planner'.*string"),
    ],
)
def test_rows_that_do_not_fit_are_refused_by_name(change: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        to_arrow("metrics", [{**synthetic.planning_metrics()[0], **change}], synthetic.context())


def test_a_row_that_lacks_a_needed_column_is_refused() -> None:
    for column in row_columns("metrics"):
        row = {name: value for name, value in synthetic.planning_metrics()[0].items() if name != column.name}
        if column.optional:
            assert to_arrow("metrics", [row], synthetic.context())[column.name].null_count == 1
        else:
            with pytest.raises(SchemaError, match=column.name):
                to_arrow("metrics", [row], synthetic.context())


def test_files_of_another_schema_version_are_not_read_as_this_one(local: Store) -> None:
    unit = write_tables(local, {"metrics": synthetic.surprise_metrics()}, "old", synthetic.context())
    older = unit.model_copy(update={"schema_version": SCHEMA_VERSION + 1})
    local.write("reports/manifests/old.json", older.model_dump_json().encode())
    with pytest.raises(SchemaError, match=rf"'old'.*version {SCHEMA_VERSION + 1}.*reads {SCHEMA_VERSION}"):
        read_table(local, "metrics")


def test_wrong_names_are_told_with_the_right_ones(local: Store) -> None:
    with pytest.raises(InputError, match=r"'metric' is not known.*metrics"):
        read_table(local, "metric")
    with pytest.raises(InputError, match=r"'valeu'.*value"):
        read_table(local, "metrics", columns=["valeu"])
    with pytest.raises(InputError, match=r"'a/b'"):
        write_tables(local, {}, "a/b", synthetic.context())


def test_only_the_wanted_columns_and_runs_are_read(local: Store) -> None:
    synthetic.write_run(local, "run-1")
    synthetic.write_run(local, "run-2")
    assert list(read_table(local, "metrics", columns=["value", "n"]).compute().columns) == ["value", "n"]
    assert set(read_table(local, "metrics", run="run-2").compute().run) == {"run-2"}
    query = read_table(local, "episodes")
    task = query[query.success].groupby("planner").final_distance.mean().optimize()
    assert "start_frame" not in str(task.expr.tree_repr()) and "final_distance" in str(task.expr.tree_repr())


def test_many_small_files_share_partitions(local: Store) -> None:
    for number in range(40):
        write_tables(local, {"metrics": synthetic.surprise_metrics()}, f"unit-{number}", synthetic.context())
    frame = read_table(local, "metrics")
    assert frame.npartitions == 3 and len(frame) == 40 * len(synthetic.surprise_metrics())


def test_duckdb_and_pandas_read_the_files_as_they_are(local: Store) -> None:
    synthetic.write_run(local)
    pattern = local.address("reports/kind=metrics").removeprefix("file://")
    found = duckdb.sql(f"SELECT count(*), avg(value) FROM '{pattern}/*.parquet' WHERE metric = 'auroc'").fetchall()
    frame = pd.read_parquet(pattern)
    aurocs = frame[frame.metric == "auroc"].value
    assert found == [(len(aurocs), pytest.approx(aurocs.mean()))] and len(aurocs) == 2
