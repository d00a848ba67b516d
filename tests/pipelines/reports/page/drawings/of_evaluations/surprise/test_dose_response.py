"""Dose-response: a small chart for each perturbation, physical ones first, with where half are noticed."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_a_small_chart_for_each_perturbation() -> None:
    half = synthetic.metric("surprise", "half_noticed_strength", 1.5, shift="teleport")
    half |= {"score": "raw", "blocks_ahead": 1, "physical": True}
    other = {**half, "value": 9.5, "score": "normalised"}
    looks = {**half, "metric": "auroc", "shift": "recolour", "physical": False}
    (block,) = drawn(
        "dose_response", "doses", frame("doses", synthetic.surprise_doses()), frame("metrics", [half, other, looks])
    )
    assert block.content.count("<svg") == 2 and block.heading == "Chart · scope"
    assert block.content.index("teleport · half from 1.500") < block.content.index("recolour · half never noticed")
    assert 'data-value="1.5"' in block.content and 'data-value="9.5"' not in block.content


def test_without_a_threshold_areas_are_shown_alone() -> None:
    doses = [
        {name: value for name, value in row.items() if "detection" not in name} for row in synthetic.surprise_doses()
    ]
    (block,) = drawn("dose_response", "doses", frame("doses", doses))
    assert "teleport · no threshold" in block.content
