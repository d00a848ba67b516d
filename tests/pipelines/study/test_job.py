"""The study job: cells once, whatever happens to the process that runs them, and the newest verdicts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.display import study_facts
from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.evaluation.declarations import Column, Table
from jepa.studies import CellResult, Measure, Study, run_study
from pipelines.reports.page import ReportConfig, report
from pipelines.reports.selection import select
from pipelines.store.reports import committed_units, units_of_run
from pipelines.study import study
from tests.pipelines.study.asked import config, rows

MANY = {"grid": [{"experiment": "size", "size": [10, 100, 1000], "seed": list(range(200))}], "run": "many"}


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.mark.usefixtures("sample_mean")
def test_the_table_holds_what_a_notebook_gets(store: Store) -> None:
    studied, result = study(config(), store), run_study("sample_mean")
    table = rows(store)
    for row in result.rows:
        held = table[(table["size"] == row["size"]) & (table.seed == row["seed"])]
        assert held.value.tolist() == [row["value"]] and held.n.tolist() == [row["size"]]
    assert len(table) == len(result.rows) == 10 and set(table.evaluation_version) == {1}
    assert studied.findings == result.findings
    (claim,) = rows(store, "claims").to_dict("records")
    ((_, finding),) = result.findings
    assert (claim["verdict"], claim["value"], claim["ci_low"]) == (finding.verdict, finding.value, finding.low)
    assert claim["preset"] == "tiny" and claim["run"] == "sample-mean-tiny"


@pytest.mark.usefixtures("sample_mean")
def test_what_is_done_is_not_done_again_and_changes_no_byte(local: Store) -> None:
    first = study(config(), local)
    before = {path: local.read(path) for path in local.list("reports/")}
    second = study(config(), local)
    assert len(second.earlier) == len(second.units) == 10 and second.units == first.units
    assert {path: local.read(path) for path in local.list("reports/")} == before


@pytest.mark.usefixtures("sample_mean")
def test_a_wider_grid_runs_the_new_cells_and_gives_the_newest_verdict(local: Store) -> None:
    few = study(config(run="mine"), local)
    more = study(config(run="mine", cell={"seed": list(range(40))}), local)
    assert len(more.units) == 80 and len(more.earlier) == 10 and set(few.units) <= set(more.units)
    (claim,) = rows(local, "claims").to_dict("records")
    assert claim["n"] == 40 and claim["verdict"] == "held" and claim["ci_low"] > 0
    assert len(units_of_run(local, "mine")) == 81


@pytest.mark.usefixtures("sample_mean")
def test_forced_cells_are_done_again_and_are_the_same(local: Store) -> None:
    study(config(), local)
    table, stamps = rows(local), [unit.created_at for unit in committed_units(local)]
    again = study(config(force=True), local)
    assert not again.earlier and min(unit.created_at for unit in again.units) > max(stamps[1:])
    pd.testing.assert_frame_equal(rows(local), table)


def killed(store: str) -> None:
    """Runs the study of many cells in a process of its own and kills it when it has committed some of them."""
    grid = "[{experiment: size, size: [10, 100, 1000], seed: [" + ", ".join(map(str, range(200))) + "]}]"
    command = [sys.executable, "-m", "flows.cli", "study", "sample_mean", "--store", store, "--executor", "local"]
    process = subprocess.Popen(
        [*command, "--run", "many", "--grid", grid], env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while len(committed_units(open_store(store))) < 20:
        assert process.poll() is None and time.monotonic() < deadline, process.stderr and process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


@pytest.mark.slow
@pytest.mark.usefixtures("sample_mean")
def test_a_study_that_is_killed_goes_on_with_the_missing_cells(tmp_path: Path) -> None:
    killed(str(tmp_path / "killed"))
    store = open_store(str(tmp_path / "killed"))
    left = len(committed_units(store))
    done = study(config(**MANY), store)
    assert 20 <= left < 600 and len(done.earlier) == left and len(done.units) == 600
    undisturbed = open_store(str(tmp_path / "undisturbed"))
    study(config(**MANY), undisturbed)
    for table in ("study_sample_mean", "claims"):
        pd.testing.assert_frame_equal(
            rows(store, table).drop(columns="cells_digest", errors="ignore"),
            rows(undisturbed, table).drop(columns="cells_digest", errors="ignore"),
        )


@pytest.mark.slow
@pytest.mark.usefixtures("sample_mean")
def test_four_workers_write_the_rows_of_one(tmp_path: Path) -> None:
    one, four = (open_store(str(tmp_path / name)) for name in ("one", "four"))
    study(config(), one)
    study(config(workers=4), four)
    pd.testing.assert_frame_equal(rows(four), rows(one))


def test_the_most_expensive_cells_begin_first(
    local: Store, sample_mean: type[Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    run = sample_mean.run

    def noted(self: Study, cell: Any) -> CellResult:
        begun.append(cell.size)
        return run(self, cell)

    monkeypatch.setattr(sample_mean, "cost", lambda self, cell: cell.size)
    monkeypatch.setattr(sample_mean, "run", noted)
    done = study(config(), local)
    assert begun == [1000] * 5 + [10] * 5
    assert [unit.key for unit in done.units] == [unit.key for unit in done.plan.units]


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_cell_without_a_finite_figure_costs_no_verdict(
    local: Store, sample_mean: type[Study], monkeypatch: pytest.MonkeyPatch, odd: float
) -> None:
    monkeypatch.setattr(sample_mean, "run", lambda self, cell: CellResult([Measure("error", odd)]))
    studied, result = study(config(), local), run_study("sample_mean")
    assert studied.findings == result.findings
    ((_, finding),) = studied.findings
    assert (finding.verdict, finding.value, finding.low) == ("not decided", None, None)
    json.dumps(study_facts(studied), allow_nan=False)
    page = local.read(report(ReportConfig(run=studied.run), local, Progress()).path).decode()
    assert "not decided" in page


def test_a_field_that_is_added_leaves_what_was_done_before_readable(
    local: Store, sample_mean: type[Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    finer = Table("study_sample_mean_pairs", (Column("a", "int", "one"),))
    pairs = {finer.name: [{"a": 1}]}
    run = sample_mean.run
    monkeypatch.setattr(sample_mean, "tables", (finer,))
    monkeypatch.setattr(sample_mean, "run", lambda self, cell: CellResult(run(self, cell).measures, pairs))
    study(config(), local)
    kinds, defaults = {"width": float, "centred": bool, "shift": int}, {"width": 1.0, "centred": True, "shift": 2}
    wider = type("Wider", (sample_mean.Cell,), {"__annotations__": kinds, **defaults})
    monkeypatch.setattr(sample_mean, "Cell", wider)
    monkeypatch.setattr(sample_mean, "tables", ())
    monkeypatch.setattr(sample_mean, "run", run)
    wide = study(config(), local)
    assert not wide.earlier
    table = rows(local)
    assert len(table) == 20
    for name, value in defaults.items():
        assert table[name].isna().sum() == 10 and set(table[name].dropna()) == {value}
    assert len(select(table, {"centred": "true"})) == 10
    assert 'class="chart"' in local.read(report(ReportConfig(run=wide.run), local, Progress()).path).decode()
