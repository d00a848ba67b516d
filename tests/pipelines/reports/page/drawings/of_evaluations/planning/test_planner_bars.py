"""Planner bars: the best first, chance and the oracle last, a panel for each kind of goal."""

from pipelines.reports.page.drawings.of_evaluations.planning.planners import Planners
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.of_evaluations.planning.grids import VARIANTS, grid_rows
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_references_stand_below_the_planners() -> None:
    rows = frame("metrics", synthetic.planning_metrics())
    (block,) = drawn("planner_bars", "metrics", rows[rows.metric == "success_rate"], rows, title="goals", percent=True)
    content = str(block.content)
    assert content.index("cem") < content.index("random") < content.index("oracle")
    assert content.index("uniform goals") < content.index("cross-room goals")
    assert "90 %" in content and 'aria-label="goals by planner and kind of goal"' in content


def test_thirty_planners_have_a_bar_each_the_best_first_on_a_chart_that_a_page_can_show() -> None:
    metrics = frame("metrics", grid_rows(VARIANTS))
    rows = metrics[metrics.metric == "success_rate"]
    (block,) = drawn("planner_bars", "metrics", rows, metrics, title="goals", percent=True)
    content = str(block.content)
    # Names stand once, at the left of both kinds of goals, and are whole: what is cut off may be what tells two apart.
    assert all(content.count(f">{name}</text>") == 1 for name in VARIANTS)
    places = [content.index(f">{name}</text>") for name in Planners.of(metrics).own]
    assert places == sorted(places) and len(places) == 36
    assert places[-1] < content.index(">random</text>") < content.index(">oracle</text>")
    width, height = (float(side) for side in content.split('viewBox="0 0 ')[1].split('"')[0].split())
    assert width <= 10.5 * 72 and 10 * 36 < height < 25 * 39
    best = rows.groupby("planner").value.mean().drop(["random", "oracle", "demonstration"]).idxmax()
    assert best == Planners.of(metrics).own[0]


def test_several_offsets_are_left_to_the_lines() -> None:
    metrics = frame("metrics", grid_rows(["cem"], (25, 50)))
    assert drawn("planner_bars", "metrics", metrics[metrics.metric == "success_rate"], metrics, title="goals") == []


def test_a_privileged_planner_is_marked() -> None:
    metrics = frame("metrics", grid_rows(["cem", "icem"])).assign(privileged=lambda own: own.planner == "icem")
    (block,) = drawn("planner_bars", "metrics", metrics[metrics.metric == "success_rate"], metrics, title="goals")
    assert "icem (privileged)" in block.content and ">cem</text>" in block.content
