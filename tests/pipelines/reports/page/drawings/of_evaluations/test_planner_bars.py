"""Planner bars: chance first, the oracle last, a panel for each kind of goal."""

from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.subjects import drawn, frame


def test_planners_stand_between_chance_and_the_oracle() -> None:
    rows = frame("metrics", synthetic.planning_metrics())
    (block,) = drawn("planner_bars", "metrics", rows[rows.metric == "success_rate"], title="goals", percent=True)
    content = str(block.content)
    assert content.index("random") < content.index("cem") < content.index("oracle")
    assert content.index("uniform goals") < content.index("cross-room goals")
    assert "90 %" in content and 'aria-label="goals by planner and kind of goal"' in content
