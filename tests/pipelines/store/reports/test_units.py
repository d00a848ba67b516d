"""Units of work: committed whole or not at all, once or again, and never counted twice."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.reports import (
    SCHEMA_VERSION,
    SchemaError,
    UnitManifest,
    committed_units,
    read_table,
    read_unit,
    unit_key,
    write_tables,
)
from pipelines.store.reports.schema import table_schema
from pipelines.store.sealed import seal
from tests.narrow import queried
from tests.pipelines.reports import synthetic


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def rows_of_glob(store: Store) -> int:
    """Returns how many rows a program finds that reads all files of the `metrics` table."""
    return int(queried(f"SELECT count(*) FROM '{store.uri}/reports/kind=metrics/*.parquet'").fetchall()[0][0])


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
    # Done again, it removes what the attempt before left: there is no second copy, for a glob neither.
    again = write_tables(store, {"metrics": synthetic.planning_metrics()}, "run-1-a", synthetic.context())
    assert again.parts[0].path != unit.parts[0].path
    assert len(read_table(store, "metrics")) == len(synthetic.planning_metrics())
    assert store.list("reports/kind=metrics/") == [again.parts[0].path]


def test_the_first_commit_of_a_key_stands(local: Store) -> None:
    first = write_tables(local, {"metrics": synthetic.surprise_metrics()}, "key", synthetic.context())
    again = write_tables(local, {"metrics": synthetic.planning_metrics()}, "key", synthetic.context(run="run-2"))
    assert again == first == read_unit(local, "key")
    assert set(read_table(local, "metrics").compute().metric) == {"auroc"}


def test_a_replaced_unit_leaves_nothing_of_what_it_was(store: Store) -> None:
    tables = {"metrics": synthetic.surprise_metrics(), "steps": synthetic.surprise_steps(2)}
    first = write_tables(store, tables, "key", synthetic.context())
    other = write_tables(store, {"metrics": synthetic.surprise_metrics()}, "key-2", synthetic.context())
    second = write_tables(
        store, {"metrics": synthetic.planning_metrics()}, "key", synthetic.context(code_version="new"), replace=True
    )
    assert second == read_unit(store, "key") and second.code_version == "new"
    assert store.list("reports/kind=") == sorted([second.parts[0].path, other.parts[0].path])
    assert len(read_table(store, "steps")) == 0 and not store.exists(first.parts[0].path)


def test_a_reader_never_finds_a_replaced_unit_missing_or_torn(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write_tables(local, {"metrics": synthetic.surprise_metrics()}, "key", synthetic.context())
    seen, write = [], type(local).write

    def watched(self: Store, path: str, data: bytes) -> None:
        seen.append(len(read_table(self, "metrics").compute()))
        write(self, path, data)
        seen.append(len(read_table(self, "metrics").compute()))

    monkeypatch.setattr(type(local), "write", watched)
    write_tables(local, {"metrics": synthetic.planning_metrics()}, "key", synthetic.context(), replace=True)
    old, new = before.parts[0].rows, len(synthetic.planning_metrics())
    assert seen == [old, old, old, new]


def test_files_that_another_writer_swept_away_are_written_again(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers replace one unit at once: one sweeps the other's files away, which have no manifest yet."""
    write = type(local).write

    def raced(self: Store, path: str, data: bytes) -> None:
        write(self, path, data)
        if path.endswith(".json"):
            for part in json.loads(data)["parts"]:
                self.delete(part["path"])

    monkeypatch.setattr(type(local), "write", raced)
    write_tables(local, {"metrics": synthetic.surprise_metrics()}, "key", synthetic.context(), replace=True)
    assert len(read_table(local, "metrics")) == 2 == rows_of_glob(local)


def test_many_writers_lose_nothing_and_double_nothing(store: Store) -> None:
    rows = synthetic.surprise_metrics()

    def write(number: int) -> None:
        write_tables(store, {"metrics": rows}, f"unit-{number % 10}", synthetic.context())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(20)))
    frame = read_table(store, "metrics").compute()
    assert len(frame) == 10 * len(rows) and len(store.list("reports/manifests/")) == 10
    assert len(store.list("reports/kind=metrics/")) == 10


def test_who_commits_just_after_another_has_looked_stands(local: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read = type(local).read
    others: list[UnitManifest | None] = []

    def overtaken(self: Store, path: str) -> bytes:
        try:
            return read(self, path)
        except FileNotFoundError:
            if not others:
                others.append(None)
                tables = {"metrics": synthetic.surprise_metrics()}
                others[0] = write_tables(self, tables, "key", synthetic.context("theirs"))
            raise

    monkeypatch.setattr(type(local), "read", overtaken)
    ours = write_tables(local, {"metrics": synthetic.planning_metrics()}, "key", synthetic.context("ours"))
    assert ours == others[0] == read_unit(local, "key") and ours.run == "theirs"
    assert local.list("reports/kind=metrics/") == [ours.parts[0].path]


def test_a_failing_write_commits_nothing(local: Store) -> None:
    wrong = [{**synthetic.surprise_metrics()[0], "valeu": 1.0}]
    tables = {"training": synthetic.training_rows(10), "metrics": wrong}
    with pytest.raises(SchemaError, match=r"'metrics'.*valeu"):
        write_tables(local, tables, "key", synthetic.context())
    assert local.list("reports/") == []


def test_units_of_another_major_version_are_left_out_and_the_others_read(
    local: Store, caplog: pytest.LogCaptureFixture
) -> None:
    other = write_tables(local, {"metrics": synthetic.planning_metrics()}, "other", synthetic.context())
    write_tables(local, {"metrics": synthetic.surprise_metrics()}, "ours", synthetic.context())
    later = {"key": "other", "schema_version": SCHEMA_VERSION + 1, "code_version": "9.9", "shape": "unknown"}
    local.write("reports/manifests/other.json", json.dumps(later).encode())
    assert [unit.key for unit in committed_units(local)] == ["ours"]
    assert set(read_table(local, "metrics").compute().metric) == {"auroc"}
    (sentence,) = {record.getMessage() for record in caplog.records}
    assert f"report unit 'other' has schema version {SCHEMA_VERSION + 1} and this code reads 1" in sentence
    assert "read them with code 9.9, which wrote them, or evaluate again" in sentence
    # Evaluated again, it takes the other's place.
    again = write_tables(local, {"metrics": synthetic.planning_metrics()}, "other", synthetic.context())
    assert read_unit(local, "other") == again and not local.exists(other.parts[0].path)


def test_a_field_that_later_code_adds_to_a_manifest_is_left_out(local: Store) -> None:
    unit = write_tables(local, {"metrics": synthetic.surprise_metrics()}, "unit", synthetic.context())
    more = json.loads(unit.model_dump_json()) | {"mood": "good"}
    local.write("reports/manifests/unit.json", seal(json.dumps(more, indent=1).encode()))
    assert read_unit(local, "unit") == unit


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"schema_version": 1}'])
def test_a_manifest_that_is_none_is_named(local: Store, data: bytes) -> None:
    local.write("reports/manifests/unit.json", data)
    with pytest.raises(InfraError, match=r"manifests/unit.json is damaged, or no manifest of report rows"):
        committed_units(local)


def test_a_key_says_what_was_done_and_holds_all_of_it() -> None:
    key = unit_key("planning", "test/uniform", {"model": "m0", "seed": 0})
    assert key.startswith("planning-test=uniform-") and len(key.rpartition("-")[2]) == 16
    assert key != unit_key("planning", "test/uniform", {"model": "m0", "seed": 1})
    assert key == unit_key("planning", "test/uniform", {"seed": 0, "model": "m0"})


def test_a_key_is_a_file_name(local: Store) -> None:
    with pytest.raises(InputError, match=r"'a/b'"):
        write_tables(local, {}, "a/b", synthetic.context())


def test_a_manifest_is_shown_in_one_short_line(local: Store) -> None:
    unit = write_tables(local, {"metrics": synthetic.surprise_metrics()}, "surprise-x", synthetic.context())
    assert repr(unit) == str(unit) == "<unit surprise-x of m0@aaaaaaaa on d0@1: rows of 2 metrics>"
    older = write_tables(local, {"training": []}, "old", synthetic.older_context())
    assert "of m0 on d0: rows of 0 training" in repr(older)
