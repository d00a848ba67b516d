"""Headline figures: which there are, in which order, and how figures of several seeds become one."""

from pathlib import Path

import pandas as pd
import pytest

from infra.storage import open_store
from jepa.evaluation.statistics import wilson
from pipelines.reports import metrics_table
from pipelines.reports.summary import headlines
from pipelines.store.reports.tables import to_arrow
from tests.pipelines.reports import synthetic


def frame(rows: list[synthetic.Row]) -> pd.DataFrame:
    """Returns `metrics` rows as they come back from a store."""
    return to_arrow("metrics", rows, synthetic.context()).to_pandas()


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


def test_pictures_are_told_beside_the_mean_frame() -> None:
    figures = headlines(frame(synthetic.decoding_rows()["metrics"]))
    assert [(figure.label, figure.unit) for figure in figures if figure.split == "test"] == [
        ("decoded pictures, encoded, PSNR", "dB"),
        ("decoded pictures, imagined 4, PSNR", "dB"),
    ]
    assert all(figure.beside[0][0] == "mean frame" and figure.value > figure.beside[0][1] for figure in figures)


def test_rates_of_several_seeds_are_pooled_and_other_figures_averaged() -> None:
    rows = synthetic.planning_metrics(50, seed=0) + synthetic.planning_metrics(10, seed=1)
    rows += [synthetic.metric("surprise", "auroc", 0.9, shift="teleport", seed=0, half=0.02)]
    rows += [synthetic.metric("surprise", "auroc", 1.0, shift="teleport", seed=1, half=0.04, strength=0.4)]
    success, *_, surprise, _, _ = headlines(frame(rows))
    pooled = wilson(45 + 9, 60)
    assert (success.value, success.ci_low, success.ci_high) == (pooled.value, pooled.low, pooled.high)
    assert success.seeds == (0, 1) and success.n == 60
    assert surprise.value == pytest.approx(0.95) and surprise.ci_low == pytest.approx(0.92) and surprise.n == 100


def test_a_probe_counts_for_all_quantities_together() -> None:
    rows = synthetic.probing_metrics()
    linear = headlines(frame(rows))[0]
    assert linear.value == pytest.approx(0.963) and linear.n == 5000
    apart = [row for row in rows if row["quantity"] != "all"]
    assert headlines(frame(apart))[0].value == pytest.approx((0.965 + 0.959) / 2)


def test_regret_is_that_in_distance_and_only_held_out_splits_count() -> None:
    rows = synthetic.planning_metrics()
    where = {"goal": "uniform", "planner": "cem"}
    rows += [synthetic.metric("planning", "regret", 0.5, quantity="success", **where)]
    rows += [synthetic.metric("planning", "success_rate", 1.0, split="train", **where)]
    figures = headlines(frame(rows))
    assert {figure.split for figure in figures} == {"test"}
    assert next(figure.value for figure in figures if figure.kind == "regret") == pytest.approx(0.028)


def test_models_and_splits_have_their_own_figures() -> None:
    rows = synthetic.planning_metrics() + synthetic.planning_metrics(20, split="unseen")
    figures = headlines(frame(rows))
    assert [figure.split for figure in figures] == ["test"] * 4 + ["unseen"] * 4
    assert figures[4].n == 20
