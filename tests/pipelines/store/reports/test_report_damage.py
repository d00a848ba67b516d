"""Whatever happens to a file of the reports: readers get the same, or the file is named, and it can be done again."""

import logging
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.parquet import parquet_bytes, read_parquet
from pipelines.store.reports import plan_run, read_table, read_unit, read_units, units_of_run, write_tables
from pipelines.store.reports.manifest import manifest_path
from pipelines.store.reports.verify import verify_reports
from pipelines.store.sealed import seal, sha256
from tests.pipelines.damage import HARMS, damage
from tests.pipelines.reports import synthetic

TABLES = {"metrics": synthetic.surprise_metrics(), "steps": synthetic.surprise_steps(2)}


@pytest.fixture
def local(tmp_path: Path) -> Store:
    """A store with two units of a run, which the run lists."""
    store = open_store(str(tmp_path / "store"))
    plan_run(store, "run-1", ["a", "b"], {})
    for key in ("a", "b"):
        write_tables(store, TABLES, key, synthetic.context())
    return store


def answer(store: Store) -> str:
    units = units_of_run(store, "run-1")
    return "".join(repr(read_table(store, table, units=units).compute().to_dict("records")) for table in TABLES)


def test_readers_get_the_same_or_the_file_is_named(local: Store, caplog: pytest.LogCaptureFixture) -> None:
    right, paths = answer(local), local.list("reports/")
    assert len(paths) == 7 and verify_reports(local).ok and verify_reports(local).unknown == ()
    for path in paths:
        data = local.read(path)
        for seed in range(2 * len(HARMS)):
            harm = damage(local, path, seed)
            caplog.clear()
            try:
                said = "" if (after := answer(local)) == right else caplog.text
                # Who deletes the plan of a run deletes what it listed: the units that were done for it stay in it.
                assert after == right or path in said, (path, harm, seed)
            except (InfraError, InputError) as error:
                assert path in str(error) and "\n" not in str(error), (path, harm, seed, error)
            found = {problem.path for problem in verify_reports(local).problems}
            assert path in found or (harm == "remove" and "/runs/" in path), (path, harm, seed, found)
            local.write(path, data)


def test_what_is_lost_or_damaged_is_done_again(local: Store, caplog: pytest.LogCaptureFixture) -> None:
    right = answer(local)
    unit = read_unit(local, "a")
    assert unit is not None and set(read_units(local, ["a", "b", "c"])) == {"a", "b"}
    for path in (unit.parts[0].path, "reports/manifests/a.json"):
        for seed in range(len(HARMS)):
            harm = damage(local, path, seed)
            with caplog.at_level(logging.WARNING):
                assert set(read_units(local, ["a", "b"])) == {"b"}, (path, harm)
            assert harm == "remove" or path in caplog.text
            again = write_tables(local, TABLES, "a", synthetic.context().model_copy(update=_times(unit)))
            assert again.parts == unit.parts and answer(local) == right and verify_reports(local).ok


def _without(table: pa.Table) -> bytes:
    return parquet_bytes(table.drop_columns(["value"]))


def _as_text(table: pa.Table) -> bytes:
    place = table.schema.get_field_index("value")
    return parquet_bytes(table.set_column(place, "value", pa.array(["much"] * len(table))))


def _as_list(table: pa.Table) -> bytes:
    place = table.schema.get_field_index("value")
    return parquet_bytes(table.set_column(place, "value", pa.array([[1.0]] * len(table))))


def _emptied(table: pa.Table) -> bytes:
    place = table.schema.get_field_index("value")
    return parquet_bytes(table.set_column(place, "value", pa.nulls(len(table), pa.float64())))


def _twice(table: pa.Table) -> bytes:
    return parquet_bytes(table.append_column("value", table["value"]))


def _shorter(table: pa.Table) -> bytes:
    return parquet_bytes(table.slice(1))


def _no_table(table: pa.Table) -> bytes:
    return b"PAR1 no table PAR1"


@pytest.mark.parametrize("wrong", [_without, _as_text, _as_list, _emptied, _twice, _shorter, _no_table])
def test_a_file_of_another_schema_with_the_right_digest_is_named(
    wrong: Callable[[pa.Table], bytes], local: Store, caplog: pytest.LogCaptureFixture
) -> None:
    right, unit = answer(local), read_unit(local, "a")
    assert unit is not None
    part = next(part for part in unit.parts if part.table == "metrics")
    data = wrong(read_parquet(local.read(part.path)))
    path = f"reports/kind=metrics/part-a.{sha256(data)[:12]}.parquet"
    others = tuple(other for other in unit.parts if other is not part)
    parts = (part.model_copy(update={"path": path, "sha256": sha256(data)}), *others)
    local.write(path, data)
    local.write(manifest_path("a"), seal(unit.model_copy(update={"parts": parts}).model_dump_json(indent=1).encode()))
    if wrong is not _shorter:
        with pytest.raises(InfraError, match=rf"report file {path} is (not as this code reads it|damaged)") as caught:
            answer(local)
        assert "\n" not in str(caught.value) and "evaluate again" in str(caught.value)
    found = {problem.path for problem in verify_reports(local).problems}
    assert found == {path}, "verification says what the reader says"
    assert read_unit(local, "a") is None and path in caplog.text, "it is done again"
    write_tables(local, TABLES, "a", synthetic.context().model_copy(update=_times(unit)))
    assert answer(local) == right and verify_reports(local).ok


def _times(unit: object) -> dict[str, object]:
    return {"created_at": unit.created_at}  # type: ignore[attr-defined]


def test_a_plan_that_is_damaged_is_written_again(local: Store) -> None:
    (path,) = local.list("reports/runs/")
    damage(local, path, 0)
    with pytest.raises(InfraError, match=rf"{path} is damaged"):
        units_of_run(local, "run-1")
    plan_run(local, "run-1", ["a", "b"], {})
    assert [unit.key for unit in units_of_run(local, "run-1")] == ["a", "b"]


def test_reports_of_earlier_code_are_read_and_what_cannot_be_known_is_said(early_store: Store) -> None:
    report = verify_reports(early_store)
    assert report.ok and report.units == 13 and any("without a digest" in sentence for sentence in report.unknown)
    path = next(path for path in early_store.list("reports/kind=metrics/"))
    early_store.write(path, early_store.read(path)[:-100])
    with pytest.raises(InfraError, match=rf"{path} is damaged: it is no Parquet file"):
        read_table(early_store, "metrics").compute()
