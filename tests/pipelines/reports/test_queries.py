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
    planning_against_compute,
    probe_error_by_latents,
    probe_error_by_quantity,
    success_by_world_and_model,
    surprise_by_perturbation,
    write_tables,
)
from pipelines.reports.queries import FIRST, LAST
from tests.narrow import queried
from tests.pipelines.reports import synthetic

READMES = ("README.md", "pipelines/reports/README.md")
SECONDS = {"random": 0.0001, "cem": 0.012, "oracle": 0.3}
ROOT = Path(__file__).resolve().parents[3]


def query_blocks(readme: str, language: str = "python") -> list[str]:
    """Returns the blocks of the section "Query"."""
    section = re.search(r"^##+ Query\n(.*?)(?=^##? |\Z)", (ROOT / readme).read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.findall(rf"```{language}\n(.*?)```", section[1], flags=re.DOTALL) if section else []


def seconds(seed: int) -> list[synthetic.Row]:
    """Returns what a decision takes each planner."""
    return [
        synthetic.metric(
            "planning", "plan_seconds", value, unit="s", goal=goal, planner=planner, seed=seed, offset=25, n=50
        )
        for goal in ("uniform", "cross_room")
        for planner, value in SECONDS.items()
    ]


@pytest.fixture
def two_seeds(tmp_path: Path) -> Store:
    """A store in the folder `runs` with one model judged under two seeds, and a second model."""
    store = open_store(str(tmp_path / "runs"))
    for model, seed in (("m0", 0), ("m0", 1), ("m1", 0)):
        rows = [
            *(row | {"offset": 25} for row in synthetic.planning_metrics(seed=seed)),
            *seconds(seed),
            *synthetic.probing_metrics(seed),
            *synthetic.surprise_metrics(seed),
        ]
        context: Context = synthetic.context(f"run-{model}-{seed}", model)
        write_tables(store, {"metrics": rows}, f"{model}-{seed}", context)
    return store


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_shows_queries_that_run_as_they_stand(
    two_seeds: Store, readme: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(two_seeds.uri).parent)
    blocks = query_blocks(readme)
    words = ("cross_room", "0.012", "agent_position", "teleport")
    assert len(blocks) == len(words)
    with pd.option_context("display.max_columns", None, "display.width", 1000):
        for block, word in zip(blocks, words, strict=True):
            exec(compile(block, readme, "exec"), {})
            printed = capsys.readouterr().out
            assert word in printed and "m1" in printed


def test_queries_in_sql_run_as_they_stand(two_seeds: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(two_seeds.uri).parent)
    for key, more in (("shifted", {"factor": "door", "factor_value": 0.1}), ("checkpoint", {"training_step": 500})):
        other = synthetic.context(f"run-{key}", "m1").model_copy(update=more)
        write_tables(two_seeds, {"metrics": synthetic.planning_metrics(seed=0)}, key, other)
    success, compute = (queried(sql).df() for sql in query_blocks(READMES[1], "sql"))
    assert len(success) == len(compute) == 3 * 2 * 3
    one = compute[(compute.model == "m1") & (compute.goal == "cross_room")]
    assert list(one.planner) == ["random", "cem", "oracle"] and list(one.seconds) == sorted(SECONDS.values())
    assert list(one.success) == pytest.approx([0.04, 0.9, 0.96])


def test_what_planners_reach_stands_beside_their_seconds(two_seeds: Store) -> None:
    table = planning_against_compute(two_seeds)
    assert len(table) == 3 * 2 * 3
    row = table.set_index(["model", "seed", "goal", "planner"]).to_dict("index")["m0", 1, "cross_room", "cem"]
    expected = wilson(45, 50)
    assert [row[name] for name in ("success_rate", "ci_low", "ci_high", "n")] == list(dataclasses.astuple(expected))
    assert (row["plan_seconds"], row["offset"]) == (0.012, 25)
    assert row["regret"] == pytest.approx(0.028) and pd.isna(row["normalised_regret"])


def test_regret_in_success_is_not_taken_for_that_in_distance(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    where = {"goal": "uniform", "planner": "cem", "offset": 25}
    figures = {("success_rate", None): 0.9, ("regret", "success"): 0.1, ("regret", "final_distance"): 0.03}
    figures |= {("normalised_regret", "final_distance"): 0.07, ("plan_seconds", None): 0.5}
    rows = [synthetic.metric("planning", m, value, quantity=q, **where) for (m, q), value in figures.items()]
    write_tables(store, {"metrics": rows}, "a", synthetic.context())
    (row,) = planning_against_compute(store).to_dict("records")
    assert [row[name] for name in ("success_rate", "regret", "normalised_regret", "plan_seconds")] == [
        0.9,
        0.03,
        0.07,
        0.5,
    ]


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


def test_probe_errors_leave_out_what_else_was_probed(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    rows = [*synthetic.probing_metrics(), *synthetic.read_otherwise()]
    write_tables(store, {"metrics": rows}, "probing", synthetic.context("m0"))
    plain, every = probe_error_by_quantity(store), probe_error_by_latents(store)
    assert len(plain) == 3 * 2 and plain.r2.min() > 0.9, "rows of versions before 3 are of the encoder's latents"
    by = ["quantity", "probe", "latents", "frames", "blocks_ahead"]
    found = every.set_index(by).to_dict("index")
    assert found["all", "linear", "encoder", 1, 0]["r2"] == pytest.approx(0.963)
    assert found["all", "mlp", "prediction", 1, 5]["r2"] == pytest.approx(0.85)
    assert found["all", "linear", "untrained", 1, 0]["r2"] == pytest.approx(0.3)
    assert len(every) == len(plain) + len(synthetic.read_otherwise())


def test_surprise_stands_by_perturbation(two_seeds: Store) -> None:
    table = surprise_by_perturbation(two_seeds).set_index(["model", "seed", "shift"])
    row = table.to_dict("index")["m0", 0, "recolour"]
    assert row["auroc"] == pytest.approx(0.957)
    assert row["n"] == 50 and len(table) == 6


@pytest.mark.parametrize(
    ("query", "figure", "least"),
    [(success_by_world_and_model, "success_rate", 0.0), (planning_against_compute, "success_rate", 0.0),
     (probe_error_by_quantity, "r2", 0.0),
     (probe_error_by_latents, "r2", 0.0),
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
    for query in (
        success_by_world_and_model,
        planning_against_compute,
        probe_error_by_quantity,
        surprise_by_perturbation,
    ):
        assert query(empty).empty and list(query(empty).columns) == list(query(two_seeds).columns)
