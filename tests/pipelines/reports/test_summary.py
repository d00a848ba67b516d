"""Headline figures: which there are, in which order, what stands beside them, and that none is pooled."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from infra.storage import open_store
from jepa.evaluation.declarations import HeadlineFigure
from jepa.evaluation.evaluation import EVALUATIONS
from jepa.evaluation.statistics import wilson
from pipelines.reports import metrics_table, read_table
from pipelines.reports.summary import headlines
from pipelines.store.reports.rows import to_arrow, to_pandas
from tests.pipelines.reports import synthetic


def frame(rows: list[synthetic.Row], **changes: Any) -> pd.DataFrame:
    """Returns `metrics` rows as they come back from a store."""
    return to_pandas(to_arrow("metrics", rows, {**synthetic.context(**changes).model_dump(), "schema_version": 1}))


def test_a_run_opens_with_planning_then_probes_then_surprise(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    synthetic.write_run(store)
    figures = metrics_table(store, "run-1")
    assert [figure.label for figure in figures] == [
        "goals reached, uniform",
        "goals reached, cross-room",
        "linear probe R²",
        "MLP probe R²",
        "surprise at recolour, AUROC",
        "surprise at teleport, AUROC",
        "regret, uniform",
        "regret, cross-room",
    ]
    success = figures[1]
    assert (success.value_text, success.interval_text) == ("90 %", "79 % – 96 %")
    assert (success.beside_text, success.n) == ("random 4 %, oracle 96 %", 50)
    assert figures[-1].value_text == "0.028 scene width"
    assert metrics_table(store, "another") == []


def test_pictures_are_shown_beside_the_mean_frame() -> None:
    figures = headlines(frame(synthetic.decoding_rows()["metrics"]))
    assert [(figure.label, figure.unit) for figure in figures if figure.split == "test"] == [
        ("decoded pictures, encoded, PSNR", "dB"),
        ("decoded pictures, imagined 4, PSNR", "dB"),
    ]
    assert all(figure.beside[0][0] == "mean frame" and figure.value > figure.beside[0][1] for figure in figures)


def test_every_seed_has_its_own_figures() -> None:
    rows = synthetic.planning_metrics(50, seed=0) + synthetic.planning_metrics(10, seed=1)
    figures = [figure for figure in headlines(frame(rows)) if figure.label == "goals reached, uniform"]
    assert [(figure.seed, figure.n, figure.value) for figure in figures] == [(0, 50, 0.9), (1, 10, 0.9)]
    expected = wilson(9, 10)
    assert (figures[1].ci_low, figures[1].ci_high) == (expected.low, expected.high)


def test_figures_of_different_origins_are_not_pooled(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    synthetic.write_mixed(store)
    variants = len(synthetic.VARIANTS)
    for run, values in (("run-1", [0.01 * n for n in range(variants)]), ("old-1", [0.01 * variants])):
        figures = metrics_table(store, run)
        success = [figure for figure in figures if figure.kind == "success"]
        assert sorted(figure.value for figure in success) == pytest.approx(values)
        assert {figure.n for figure in success} == {4} and all(
            figure.beside == (("random", 0.5),) for figure in success
        )
        assert len(figures) == 3 * len(values)
    every = headlines(read_table(store, "metrics").compute())
    assert len([figure for figure in every if figure.kind == "auroc"]) == variants + len(synthetic.OLDER_RUNS)


def test_a_probe_counts_for_all_quantities_together() -> None:
    rows = synthetic.probing_metrics()
    linear = headlines(frame(rows))[0]
    assert linear.value == pytest.approx(0.963) and linear.n == 5000
    assert headlines(frame([row for row in rows if row["quantity"] != "all"])) == []


def test_the_planner_is_named_where_there_are_several_of_the_models_own() -> None:
    rows = synthetic.planning_metrics()
    more = [{**row, "planner": "icem"} for row in rows if row["planner"] == "cem"]
    labels = [figure.label for figure in headlines(frame(rows + more)) if figure.kind == "success"]
    assert labels == [
        f"goals reached, {goal} ({planner})" for goal in ("uniform", "cross-room") for planner in ("cem", "icem")
    ]


def test_the_latent_space_has_its_figures() -> None:
    nan = float("nan")
    rows = [
        synthetic.metric("latent", "sigreg", 1.5, ci_low=nan, ci_high=nan),
        synthetic.metric("latent", "effective_rank", 12.0),
        synthetic.metric("latent", "straightness", -0.2),
    ]
    rank, straightness, sigreg = headlines(frame(rows))
    assert rank.label == "effective rank of latents" and rank.track is None and rank.interval_text
    assert straightness.track == (-1.0, 1.0) and sigreg.interval_text == "" and sigreg.ci_low is None


def test_several_rows_of_one_figure_are_averaged_and_none_lends_the_others_its_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figure = HeadlineFigure("luck", "luck", "luck", order=0)
    monkeypatch.setattr(EVALUATIONS.get("latent"), "headlines", (figure,))
    rows = [synthetic.metric("latent", "luck", value, n=n, quantity=f"q{n}") for value, n in ((0.2, 10), (0.4, 30))]
    (both,) = headlines(frame(rows))
    assert [both.value, both.ci_low] == pytest.approx([0.3, 0.28]) and both.n == 30
    (without,) = headlines(frame([rows[0], {**rows[1], "ci_low": None, "ci_high": None}]))
    assert without.value == pytest.approx(0.3) and without.ci_low is None and without.ci_high is None


def test_regret_is_that_in_distance_and_only_held_out_splits_count() -> None:
    rows = synthetic.planning_metrics()
    where = {"goal": "uniform", "planner": "cem"}
    rows += [synthetic.metric("planning", "regret", 0.5, quantity="success", **where)]
    rows += [synthetic.metric("planning", "regret", 0.0, quantity="final_distance", **{**where, "planner": "oracle"})]
    rows += [synthetic.metric("planning", "success_rate", 1.0, split="train", **where)]
    figures = headlines(frame(rows))
    assert {figure.split for figure in figures} == {"test"}
    regret = next(figure for figure in figures if figure.kind == "regret")
    assert regret.value == pytest.approx(0.028) and [name for name, _ in regret.beside] == ["random"]


def test_a_figure_is_shown_in_one_short_line() -> None:
    (headline,) = headlines(frame(synthetic.surprise_metrics()[:1]))
    assert repr(headline) == "<m0 on d0, test: surprise at teleport, AUROC 0.999 (0.989 – 1.009), n 50>"


def test_splits_have_their_own_figures() -> None:
    rows = synthetic.planning_metrics() + synthetic.planning_metrics(20, split="unseen")
    figures = headlines(frame(rows))
    assert [figure.split for figure in figures] == ["test"] * 4 + ["unseen"] * 4
    assert figures[4].n == 20


def test_a_planner_that_knows_states_is_marked() -> None:
    rows = synthetic.planning_metrics()
    for privileged, marked in ((None, False), (False, False), (True, True)):
        rows_of = [row | {"privileged": privileged} for row in rows if row["planner"] != "oracle"]
        labels = {figure.label for figure in headlines(frame(rows_of)) if figure.kind == "success"}
        mark = " (privileged)" if marked else ""
        assert labels == {f"goals reached, uniform{mark}", f"goals reached, cross-room{mark}"}
    two = [row | {"planner": "other"} for row in rows if row["planner"] == "cem"]
    mixed = [row | {"privileged": row["planner"] == "other"} for row in [*rows, *two]]
    assert [figure.label for figure in headlines(frame(mixed)) if figure.kind == "success"] == [
        f"goals reached, {goal} ({planner})"
        for goal in ("uniform", "cross-room")
        for planner in ("cem", "other, privileged")
    ]


def test_what_else_was_probed_is_no_figure_of_the_encoder() -> None:
    rows = [*synthetic.probing_metrics(), *synthetic.read_otherwise()]
    found = {figure.label: figure for figure in headlines(frame(rows))}
    assert set(found) == {
        *("linear probe R²", "MLP probe R²"),
        *("linear probe R², 5 blocks ahead", "MLP probe R², 5 blocks ahead"),
    }
    assert found["linear probe R²"].value == pytest.approx(0.963)
    assert found["linear probe R²"].beside == (("pixels pca", 0.5), ("untrained", 0.3))
    assert found["MLP probe R²"].value == pytest.approx(0.996) and found["MLP probe R²"].beside == ()
    assert found["linear probe R², 5 blocks ahead"].value == pytest.approx(0.85)
