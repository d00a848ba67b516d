"""The parts of the regret are bars by part, and by planner where there are several."""

import pytest

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


@pytest.mark.parametrize("planners", [("cem",), ("cem", "icem")])
def test_a_bar_for_each_part_of_each_planner(planners: tuple[str, ...]) -> None:
    parts = {"cost": 0.01, "model": 0.02, "search": 0.07}
    rows = [
        synthetic.metric("regret_decomposition", "regret_part", value, planner=planner, quantity=part, goal="uniform")
        for planner in planners
        for part, value in parts.items()
    ]
    (block,) = drawn("regret_parts", "metrics", frame("metrics", rows), title="regret, {unit}")
    text = str(block.content)
    assert all(f"{value:.3f}" in text for value in parts.values())
    assert ("cem · search" in text) == (len(planners) > 1) and ("icem · search" in text) == (len(planners) > 1)
