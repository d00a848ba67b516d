"""The queries of the README, run as they stand there, and what the public functions behind them return."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from infra.storage import Store, open_store
from jepa.evaluation.statistics import wilson
from pipelines.reports import (
    Context,
    probe_error_by_quantity,
    success_by_world_and_model,
    surprise_by_perturbation,
    write_tables,
)
from pipelines.reports.queries import FIRST, LAST
from tests.pipelines.reports import synthetic

ROOT = Path(__file__).resolve().parents[3]


def query_blocks() -> list[str]:
    """Returns the Python blocks of the section "Query": the project's README has it, or else this folder's."""
    for readme in (ROOT / "README.md", ROOT / "pipelines" / "reports" / "README.md"):
        text = readme.read_text() if readme.exists() else ""
        section = re.search(r"^##+ Query\n(.*?)(?=^##? |\Z)", text, flags=re.DOTALL | re.MULTILINE)
        if section:
            return re.findall(r"```python\n(.*?)```", section[1], flags=re.DOTALL)
    return []


@pytest.fixture
def two_seeds(tmp_path: Path) -> Store:
    """A store in the folder `runs` with one model judged under two seeds, and a second model."""
    store = open_store(str(tmp_path / "runs"))
    for model, seed in (("m0", 0), ("m0", 1), ("m1", 0)):
        rows = [
            *synthetic.planning_metrics(seed=seed),
            *synthetic.probing_metrics(seed),
            *synthetic.surprise_metrics(seed),
        ]
        context: Context = synthetic.context(f"run-{model}-{seed}", model)
        write_tables(store, {"metrics": rows}, f"{model}-{seed}", context)
    return store


def test_the_readme_shows_three_queries_that_run_as_they_stand(
    two_seeds: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(two_seeds.uri).parent)
    blocks = query_blocks()
    assert len(blocks) == 3
    for block, words in zip(blocks, ("cross_room", "agent_position", "teleport"), strict=True):
        exec(compile(block, "README.md", "exec"), {})
        printed = capsys.readouterr().out
        assert words in printed and "m1" in printed and "two_room" in printed


def test_success_stands_by_goal_and_planner_with_the_interval_of_its_own_problems(two_seeds: Store) -> None:
    table = success_by_world_and_model(two_seeds).set_index(["model", "seed", "goal", "planner"])
    row = table.to_dict("index")["m0", 1, "cross_room", "cem"]
    expected = wilson(45, 50)
    assert [row[name] for name in ("success_rate", "ci_low", "ci_high", "n")] == list(dataclasses.astuple(expected))
    assert len(table) == 3 * 2 * 3


def test_probe_errors_stand_by_quantity_and_probe(two_seeds: Store) -> None:
    table = probe_error_by_quantity(two_seeds).set_index(["model", "seed", "quantity", "probe"])
    row = table.to_dict("index")["m0", 0, "door", "linear"]
    assert (row["r2"], row["mse"]) == (pytest.approx(0.959), pytest.approx(0.041))
    assert {"mse", "pearson_r", "r2"} <= set(table.columns) and len(table) == 3 * 3 * 2


def test_surprise_stands_by_perturbation(two_seeds: Store) -> None:
    table = surprise_by_perturbation(two_seeds).set_index(["model", "seed", "shift"])
    row = table.to_dict("index")["m0", 0, "recolour"]
    assert row["auroc"] == pytest.approx(0.957)
    assert row["n"] == 50 and len(table) == 6


@pytest.mark.parametrize(
    ("query", "figure", "least"),
    [(success_by_world_and_model, "success_rate", 0.0), (probe_error_by_quantity, "r2", 0.0),
     (surprise_by_perturbation, "auroc", 0.5)],
)  # fmt: skip
def test_figures_of_different_origins_are_not_pooled(
    tmp_path: Path, query: Callable[[Store], pd.DataFrame], figure: str, least: float
) -> None:
    store = open_store(str(tmp_path))
    synthetic.write_mixed(store)
    table = query(store)
    table = table[table.planner == "cem"] if "planner" in table else table
    variants = len(synthetic.VARIANTS)
    # One row for each variant, though two runs list it, and one for each run of older code.
    expected = [least + 0.01 * number for number in [*range(variants), variants, variants]]
    assert sorted(table[figure]) == pytest.approx(expected)
    assert not table[[*FIRST, *LAST]].duplicated().any()
    apart = {"model_digest", "dataset_version", "protocol_digest", "evaluation_version", "protocol", "split", "seed"}
    assert apart <= set(table)
    assert set(table.run.dropna()) == set(synthetic.OLDER_RUNS) and table.run.isna().sum() == variants
    if "n" in table:
        assert set(table.n) == {4 if figure == "success_rate" else 50}


def test_queries_of_an_empty_store_are_empty_with_the_same_columns(two_seeds: Store, tmp_path: Path) -> None:
    empty = open_store(str(tmp_path / "empty"))
    for query in (success_by_world_and_model, probe_error_by_quantity, surprise_by_perturbation):
        assert query(empty).empty and list(query(empty).columns) == list(query(two_seeds).columns)
