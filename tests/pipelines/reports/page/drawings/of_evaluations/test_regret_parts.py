"""The parts of the regret are bars by part, and by planner where there are several."""

import pytest

from jepa.evaluation.kinds.regret_decomposition.report import SECTION
from pipelines.reports.selection import select
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.charts import table_rows
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


def test_planners_stand_together_the_best_first_and_each_part_has_a_colour() -> None:
    lost = {"cem": 0.05, "icem": 0.02}
    rows = [
        synthetic.metric("regret_decomposition", "regret_part", value, planner=planner, quantity=part, goal="uniform")
        for planner, value in lost.items()
        for part in ("cost", "model", "search")
    ]
    (block,) = drawn("regret_parts", "metrics", frame("metrics", rows), title="regret, {unit}")
    text = str(block.content)
    named = [f">{planner} · {part}</text>" for planner in ("icem", "cem") for part in ("cost", "model", "search")]
    places = [text.index(name) for name in named]
    assert places == sorted(places)
    assert all(text.count(f"fill: {colour}") == 2 for colour in ("var(--blue)", "var(--orange)", "var(--pink)"))


def test_the_table_has_the_regret_its_parts_and_the_rank_correlations() -> None:
    (chart,) = (chart for chart in SECTION.charts if chart.drawing == "figure_table")
    figures = {
        ("top1_regret", "planner"): 0.07,
        ("top1_regret", "real_latents"): 0.01,
        ("regret_part", "cost"): 0.03,
        ("true_cost", "plan"): 0.5,
        ("rank_correlation", "cost"): 0.91,
    }
    rows = frame(
        "metrics",
        [
            synthetic.metric("regret_decomposition", name, value, planner=planner, quantity=quantity, goal=goal)
            for planner in ("cem", "icem")
            for goal in ("uniform", "cross_room")
            for (name, quantity), value in figures.items()
        ],
    )
    (block,) = drawn("figure_table", "metrics", select(rows, {}, chart.without), **chart.options)
    (_, head), *lines = table_rows(str(block.content))
    assert [cell[0] for cell in head] == ["planner", "regret", "of the cost", "Spearman, cost", "n"]
    own = [cells for kind, cells in lines if not kind]
    assert len(own) == 4 and [cells[0] for kind, cells in lines if kind] == [["uniform goals"], ["cross-room goals"]]
    for cells in own:
        assert cells[1:] == [["0.070", "0.050 – 0.090"], ["0.030", "0.010 – 0.050"], ["0.910", "0.890 – 0.930"], ["50"]]
