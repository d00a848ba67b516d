"""Runs: collections of units, which may share them."""

import json
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.reports import (
    latest_run,
    plan_run,
    read_table,
    run_names,
    run_plans,
    units_of_run,
    write_tables,
)
from pipelines.store.reports.runs.plan import plan_path
from pipelines.store.sealed import seal
from tests.pipelines.reports import synthetic


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def test_two_runs_share_a_unit(store: Store) -> None:
    plan_run(store, "a", ["x"], {"seed": 0})
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "x", synthetic.context("a"))
    plan_run(store, "b", ["x", "y"], {"seed": 0})
    write_tables(store, {"metrics": synthetic.planning_metrics()}, "y", synthetic.context("b"))
    assert [unit.key for unit in units_of_run(store, "a")] == ["x"]
    assert [unit.key for unit in units_of_run(store, "b")] == ["x", "y"]
    assert set(read_table(store, "metrics", run="b").compute().evaluation) == {"surprise", "planning"}
    assert len(read_table(store, "metrics", run="a")) == 2 and len(read_table(store, "metrics")) == 2 + 16


def test_a_run_grows_by_plans_and_the_same_plan_once_more_changes_nothing(local: Store) -> None:
    first = plan_run(local, "a", ["x", "y"], {"seed": 0})
    assert plan_run(local, "a", ["y", "x"], {"seed": 0, "workers": 3}) == first
    plan_run(local, "a", ["z"], {"seed": 1})
    assert [plan.units for plan in run_plans(local, "a")] == [("x", "y"), ("z",)]
    assert run_plans(local) == run_plans(local, "a") and run_plans(local, "b") == []
    assert repr(first) == "<plan of run a: 2 units>"


def test_units_that_older_code_did_for_a_run_belong_to_it(local: Store) -> None:
    write_tables(local, {"metrics": synthetic.surprise_metrics()}, "old", synthetic.older_context("a"))
    assert [unit.key for unit in units_of_run(local, "a")] == ["old"] and run_names(local) == ["a"]


def test_the_latest_run_is_the_one_that_was_evaluated_last_though_all_was_done(local: Store) -> None:
    with pytest.raises(InputError, match="holds no results; evaluate a model first"):
        latest_run(local)
    write_tables(local, {"metrics": synthetic.surprise_metrics()}, "x", synthetic.context("a"))
    assert latest_run(local) == "a"
    plan_run(local, "b", ["x"], {})
    assert latest_run(local) == "b" and run_names(local) == ["a", "b"]
    plan_run(local, "c", ["nothing done of it"], {})
    assert latest_run(local) == "b" and run_names(local) == ["a", "b"]


def test_a_run_called_runs_or_manifests_is_one_like_any_other(local: Store) -> None:
    for run in ("runs", "manifests"):
        plan_run(local, run, ["x"], {})
        local.write(f"reports/{run}/report.html", b"page")
    write_tables(local, {"metrics": synthetic.surprise_metrics()}, "x", synthetic.context("runs"))
    assert run_names(local) == ["manifests", "runs"] and len(run_plans(local)) == 2


def test_a_field_that_later_code_adds_to_a_plan_is_left_out(local: Store) -> None:
    plan = plan_run(local, "a", ["x"], {"seed": 0})
    more = json.loads(plan.model_dump_json()) | {"mood": "good"}
    local.write(plan_path("a", ["x"]), seal(json.dumps(more, indent=1).encode()))
    assert run_plans(local) == [plan]


def test_wrong_names_and_broken_plans_are_named(local: Store) -> None:
    with pytest.raises(InputError, match="run name 'a/b' is not usable"):
        plan_run(local, "a/b", [], {})
    local.write("reports/runs/a/0123.json", b"{}")
    with pytest.raises(InfraError, match=r"runs/a/0123.json is damaged, or no plan of a run"):
        run_plans(local)
