"""Lines by offset: a point where each figure of the rows is, the best planners in colour."""

import pandas as pd

from pipelines.reports.page.drawings.of_evaluations.planning.planners import OWN, each, value_text
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.selection import select
from tests.pipelines.reports.page.charts import on_a_line, points
from tests.pipelines.reports.page.drawings.of_evaluations.planning.grids import grid_rows
from tests.pipelines.reports.page.drawings.subjects import drawn, frame

OFFSETS = (25, 50, 75, 100)


def charts(metrics: pd.DataFrame) -> list[Block]:
    """Returns the chart of success by offset."""
    rows = select(metrics, {"metric": "success_rate"})
    options = {"x": "offset", "x_label": "steps ahead", "title": "goals, %", "percent": True}
    return drawn("planner_lines", "metrics", rows, metrics, **options)


def test_every_point_is_a_figure_of_the_rows_and_stands_there() -> None:
    both = [row for split in ("test", "unseen") for row in grid_rows(["cem", "icem"], OFFSETS, split)]
    metrics = frame("metrics", both)
    (block,) = charts(metrics)
    success = select(metrics, {"metric": "success_rate"})
    found = points(str(block.content))
    assert len(found) == len(success) == 2 * 2 * 4 * 5
    # Panels follow one another: splits down, kinds of goals across, in each the planners from the best.
    for number, (split, goal) in enumerate((s, g) for s in ("test", "unseen") for g in ("uniform", "cross_room")):
        here = success[(success.split == split) & (success.goal == goal)]
        drawn_here = found[20 * number : 20 * (number + 1)]
        said = {f"{row.planner}: {value_text(row, True)} at offset {row.offset}, n 40": row for row in each(here)}
        assert {text for text, _, _ in drawn_here} == set(said)
        assert on_a_line([y for _, _, y in drawn_here], [float(said[text].value) for text, _, _ in drawn_here])
        one = [(x, float(said[text].offset)) for text, x, _ in drawn_here if said[text].planner == "cem"]
        assert on_a_line(*map(list, zip(*one, strict=True)))
    for words in ("uniform goals · test episodes", "cross-room goals · unseen episodes", "steps ahead", ">oracle<"):
        assert words in block.content


def test_one_offset_is_no_line() -> None:
    assert charts(frame("metrics", grid_rows(["cem", "icem"]))) == []


def test_of_many_planners_the_best_have_a_colour() -> None:
    names = [f"planner{number}" for number in range(15)]
    (block,) = charts(frame("metrics", grid_rows(names, OFFSETS)))
    text = str(block.content)
    assert f"{15 - len(OWN)} others" in text and len(points(text)) == 2 * 4 * 18
    assert sum(f">{name}</text>" in text for name in names) == len(OWN)


def test_regret_leaves_the_oracle_out_of_the_legend() -> None:
    metrics = frame("metrics", grid_rows(["cem", "icem"], OFFSETS))
    rows = select(metrics, {"metric": "regret"}, {"planner": ("oracle",)})
    (block,) = drawn("planner_lines", "metrics", rows, metrics, x="offset", title="regret, {unit}")
    assert "regret, scene width" in block.content and ">random<" in block.content and ">oracle<" not in block.content
