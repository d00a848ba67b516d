"""Whatever happens to a file of the reports: readers get the same, or the file is named, and it can be done again."""

import logging
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.reports import plan_run, read_table, read_unit, read_units, units_of_run, write_tables
from pipelines.store.reports.verify import verify_reports
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
