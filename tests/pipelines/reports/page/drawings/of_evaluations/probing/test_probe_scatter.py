"""Probe scatter plots: a panel for each probe, quantity and dimension, with the fit that `metrics` has."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_panels_bear_probe_quantity_and_fit() -> None:
    metrics = frame("metrics", synthetic.probing_metrics())
    (block,) = drawn("probe_scatter", "predictions", frame("predictions", synthetic.predictions(20)), metrics)
    for text in (
        "linear · agent position 0",
        "linear · agent position 1",
        "MLP · door",
        "R² 0.992",
        "true (scene width)",
    ):
        assert text in block.content, text


def test_without_a_fit_there_is_none_in_the_title() -> None:
    (block,) = drawn("probe_scatter", "predictions", frame("predictions", synthetic.predictions(20)))
    assert "MLP · door" in block.content and "R²" not in block.content
