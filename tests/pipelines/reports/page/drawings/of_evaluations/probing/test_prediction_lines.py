"""R² against blocks ahead: a line for each probe, a level for each baseline, a panel for each quantity."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_lines_levels_and_panels_are_named() -> None:
    rows = synthetic.read_otherwise()
    rows += [row | {"quantity": "door_height"} for row in rows]
    (block,) = drawn("prediction_lines", "metrics", frame("metrics", rows))
    names = ("linear probe", "MLP probe", "state", "pixels pca", "untrained")
    for text in (*names, "all quantities", "door height", "action blocks ahead", "R²"):
        assert text in block.content, text
    (bare,) = drawn("prediction_lines", "metrics", frame("metrics", [row for row in rows if row["probe"] == "mlp"]))
    assert "MLP probe" in bare.content and "linear probe" not in bare.content and "untrained" not in bare.content


def test_rows_without_predictions_have_no_chart() -> None:
    assert not list(drawn("prediction_lines", "metrics", frame("metrics", synthetic.probing_metrics())))
