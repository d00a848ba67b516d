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


def test_the_table_has_a_row_for_each_kind_of_goal_and_planner() -> None:
    figures = {("top1_regret", "planner"): 0.07, ("rank_correlation", "cost"): 0.91}
    rows = [
        synthetic.metric("regret_decomposition", name, value, planner=planner, quantity=quantity, goal=goal)
        for planner in ("cem", "icem")
        for goal in ("uniform", "cross_room")
        for (name, quantity), value in figures.items()
    ]
    (block,) = drawn("regret_table", "metrics", frame("metrics", rows))
    text = str(block.content)
    assert text.count("<tr>") == 5 and text.count("0.070 (0.050 to 0.090)") == text.count("0.910 (0.890 to 0.930)") == 4
    assert text.count("<td>–</td>") == 4 * 2 and "Spearman, both" in text
