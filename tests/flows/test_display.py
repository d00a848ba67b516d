"""What an evaluation found, in words: columns that are the same everywhere are left out, all others are there."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.display import (
    WIDTH,
    earlier_lines,
    evaluation_facts,
    evaluation_lines,
    figure_lines,
    headline_rows,
    metrics_lines,
)
from infra.storage import open_store
from pipelines.evaluate import EvaluateConfig, Evaluated, EvaluationPlan
from pipelines.reports import metrics_table
from pipelines.store.references import DatasetRef, ModelRef
from pipelines.store.reports import UnitManifest, read_table, write_tables
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.of_evaluations.planning.grids import VARIANTS, grid_rows

MODEL = ModelRef(name="m0", digest="a" * 64)


def version(number: int, name: str = "d0") -> DatasetRef:
    return DatasetRef(name=name, version=number, digest=str(number) * 64)


def unit(key: str, code: str = "0.1.0+g1", day: int = 3) -> UnitManifest:
    moment = datetime(2026, 11, day, 12, tzinfo=UTC)
    context = synthetic.context(code_version=code, created_at=moment)
    return UnitManifest(key=key, schema_version=1, parts=(), **context.model_dump())


def evaluated(trained_on: DatasetRef | None, earlier: int = 0) -> Evaluated:
    config = EvaluateConfig(model="m0", seed=7)
    plan = EvaluationPlan(config, MODEL, trained_on, version(2), "tiny-v1", ())
    units = tuple(unit(f"unit-{number}") for number in range(11))
    return Evaluated(plan, units, units[:earlier])


@pytest.mark.parametrize(
    ("trained_on", "words"),
    [
        (version(2), ""),
        (None, ""),
        (version(1), "; it was trained on d0@1, which has been extended since"),
        (version(3), "; it was trained on d0@3"),
        (version(1, "d1"), "; it was trained on d1@1"),
    ],
)
def test_the_judged_version_is_said_and_whether_it_is_newer_than_the_training(
    trained_on: DatasetRef | None, words: str
) -> None:
    (line,) = evaluation_lines(evaluated(trained_on))
    assert line == f"model m0@aaaaaaaa judged on d0@2 under tiny-v1, seed 7{words}"


def test_units_that_stand_from_before_are_said_with_code_and_day() -> None:
    lines = evaluation_lines(evaluated(version(2), earlier=2))
    assert lines[1] == "2 of 11 units were done by code 0.1.0+g1 on 3 November 2026; --force does them again"
    mixed = earlier_lines([unit("a"), unit("b"), unit("c", "0.1.0+g2", 5)], 11, "--evaluate.force")
    assert mixed == [
        "3 of 11 units were done before, 2 by code 0.1.0+g1 on 3 November 2026, 1 by code 0.1.0+g2 on "
        "5 November 2026; --evaluate.force does them again"
    ]
    assert earlier_lines([], 11, "--force") == []


def test_programs_get_the_same() -> None:
    facts = evaluation_facts(evaluated(version(1), earlier=1))
    assert facts["model"] == {"name": "m0", "digest": "a" * 64} and facts["dataset"]["version"] == 2
    assert facts["trained_on"]["version"] == 1 and (facts["protocol"], facts["seed"]) == ("tiny-v1", 7)
    done = {"key": "unit-0", "code_version": "0.1.0+g1", "created_at": "2026-11-03T12:00:00+00:00"}
    assert facts["units"] == {"total": 11, "done_before": [done]}


def test_a_single_origin_needs_no_columns(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    write_tables(store, {"metrics": synthetic.surprise_metrics()}, "a", synthetic.context())
    rows = headline_rows(metrics_table(store, "run-1"))
    assert list(rows[0]) == ["split", "figure", "value", "95 % interval", "n", "beside"]
    head, first, _ = metrics_lines(metrics_table(store, "run-1"))
    assert head.split()[0] == "split" and "0.957" in first and "chance 0.500" in first
    assert metrics_lines([]) == ["no figures on held-out episodes yet"]


def test_the_terminal_tells_all_variants_apart(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    synthetic.write_mixed(store)
    figures = metrics_table(store, "run-1")
    rows = headline_rows(figures)
    assert list(rows[0])[:5] == ["model", "dataset", "protocol", "version", "seed"]
    origins = [(*list(row.values())[:5], row["figure"]) for row in rows]
    assert len(set(origins)) == len(origins) == 3 * len(synthetic.VARIANTS)
    lines = metrics_lines(figures)
    assert len(lines) == 1 + len(rows) and all("random 50 %" in line for line in lines if "goals reached" in line)


def test_runs_of_older_code_are_told_apart_by_name(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    synthetic.write_mixed(store)
    older = [figure for run in synthetic.OLDER_RUNS for figure in metrics_table(store, run)]
    assert {row["run"] for row in headline_rows(older)} == set(synthetic.OLDER_RUNS)


def test_figures_of_an_evaluation_without_headlines_are_shown_one_by_one(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    nan = float("nan")
    rows = [
        synthetic.metric("coins", "heads", 0.5, half=0.1, n=8),
        synthetic.metric("coins", "bias", 0.25, ci_low=nan, ci_high=nan, quantity="edge", n=8),
    ]
    write_tables(store, {"metrics": rows}, "coins", synthetic.context())
    lines = figure_lines(read_table(store, "metrics").compute())
    assert sorted(lines) == ["test coins bias edge: 0.25, n 8", "test coins heads: 0.5 (0.4 – 0.6), n 8"]


def test_figures_of_many_planners_are_a_table_of_planners_by_goals(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    rows = [row for split in ("test", "unseen") for row in grid_rows(VARIANTS[:15], split=split)]
    write_tables(store, {"metrics": [*rows, *synthetic.surprise_metrics()]}, "many", synthetic.context())
    figures = metrics_table(store, "run-1")
    lines = metrics_lines(figures)
    assert max(map(len, lines)) <= WIDTH and not any("…" in line for line in lines)
    # A list of two figures, and two tables: title, two lines of heads (regret's in two parts), planners, references.
    text, success = "\n".join(lines), lines[: lines.index("regret, scene width, n 40")]
    assert text.count("surprise at") == 2 and text.count("goals reached") == text.count("regret, scene width") == 1
    assert len(lines) < 0.6 * len(figures) * 2
    for figure in figures:
        if figure.kind == "success":
            name = str(dict(figure.by)["planner"])
            (row,) = (line for line in success if line.startswith(f"{name}  "))
            interval = figure.interval_text.replace(" %", "")
            assert f"{figure.value_text.removesuffix(' %')} ({interval})" in row
    assert [line.split()[0] for line in lines if line.startswith(("random", "oracle"))].count("oracle") == 1


def test_tables_of_several_origins_say_which(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    for seed in (0, 1):
        rows = [{**row, "seed": seed} for row in grid_rows(VARIANTS[:4])]
        write_tables(store, {"metrics": rows}, f"seed-{seed}", synthetic.context())
    titles = [line for line in metrics_lines(metrics_table(store, "run-1")) if line.startswith("goals reached")]
    assert titles == [f"goals reached, %, n 40 · seed {seed}" for seed in (0, 1)]
