"""Scatter plots: of any table with two numbers, at most so many dots."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import AMOUNTS, drawn, frame


def test_panels_bear_their_value_and_few_dots_are_drawn() -> None:
    rows = frame("predictions", synthetic.predictions(600))
    (block,) = drawn("scatter", "predictions", rows, x="target", y="predicted", panel="quantity")
    assert "agent position" in block.content and "door" in block.content and "predicted" in block.content
    assert block.content.count("<use ") <= 2 * AMOUNTS.points + 100
