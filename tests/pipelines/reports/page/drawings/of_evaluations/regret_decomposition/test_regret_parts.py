"""The parts of the regret lie end to end, a bar for each planner, and sum to the regret beside them."""

import re
from collections.abc import Sequence

import pytest

from jepa.evaluation.kinds.regret_decomposition.report import SECTION
from pipelines.reports.selection import select
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.charts import HINTED, table_rows
from tests.pipelines.reports.page.drawings.subjects import drawn, frame
from tests.pipelines.reports.synthetic import metric

PARTS = {"cost": 0.01, "model": -0.02, "search": 0.07}
BAR = re.compile(HINTED + r'<path d="M ([-0-9.]+) [-0-9.]+ ?\nL ([-0-9.]+) ', re.DOTALL)


def bars(planners: Sequence[str], goals: Sequence[str] = ("uniform",)) -> str:
    """Returns the chart of planners, each of which loses ten times more by the search than the one before."""
    rows = []
    for place, planner in enumerate(planners):
        parts = PARTS | {"search": 0.07 * 10**place}
        for goal in goals:
            where = {"planner": planner, "goal": goal}
            rows += [metric("regret_decomposition", "regret_part", v, quantity=q, **where) for q, v in parts.items()]
            rows.append(metric("regret_decomposition", "top1_regret", sum(parts.values()), quantity="planner", **where))
    metrics = frame("metrics", rows)
    own = select(metrics, {"metric": "regret_part"})
    (block,) = drawn("regret_parts", "metrics", own, metrics, title="regret, {unit}")
    return str(block.content)


def test_parts_lie_end_to_end_and_a_negative_one_left_of_zero() -> None:
    found = {text.split(":")[0]: sorted((float(a), float(b))) for text, a, b in BAR.findall(bars(["cem"]))}
    cost, model, search = (found[f"cem, {part}"] for part in PARTS)
    assert model[1] == cost[0] and search[0] == cost[1], "two go on from where the one before ends, one to the left"
    scale = (search[1] - search[0]) / 0.07
    assert cost[1] - cost[0] == pytest.approx(0.01 * scale, rel=1e-3)
    assert model[1] - model[0] == pytest.approx(0.02 * scale, rel=1e-3)


def test_planners_stand_the_best_first_each_with_its_regret() -> None:
    text = bars(["cem", "icem"], ["uniform", "cross_room"])
    places = [text.index(f">{name}</text>") for name in ("cem", "icem")]
    assert places == sorted(places) and "cross-room goals" in text and "lost by the search" in text
    values = [float(value) for value in re.findall(r'data-value="([^"]*)"', text)]
    assert values == [pytest.approx(one) for one in (0.06, 0.69, 0.06, 0.69)]
    assert text.count("<title>icem, model: −0.020 (−0.040 to 0.000), n 50</title>") == 2


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
