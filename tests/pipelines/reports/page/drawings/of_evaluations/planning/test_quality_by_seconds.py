"""Quality against compute: each point is a planner of the rows where its figure and its seconds put it."""

import re

import numpy as np
import pandas as pd
import pytest

from pipelines.reports.page.drawings.of_evaluations.planning.planners import OWN, base_and_options, each, value_text
from pipelines.reports.page.drawings.of_evaluations.planning.quality_by_seconds import _frontier
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.selection import select
from pipelines.reports.words import seconds_words
from tests.pipelines.reports.page.charts import LEVEL, on_a_line, points
from tests.pipelines.reports.page.drawings.of_evaluations.planning.grids import VARIANTS, grid_rows
from tests.pipelines.reports.page.drawings.subjects import drawn, frame

SINGLE = ["cem", "icem", "mppi"]


def charts(metrics: pd.DataFrame, **options: object) -> list[Block]:
    """Returns the chart of success against seconds."""
    rows = select(metrics, {"metric": "success_rate"})
    return drawn("quality_by_seconds", "metrics", rows, metrics, title="goals, %", percent=True, **options)


def test_every_point_is_a_planner_of_the_rows_and_stands_at_its_figures() -> None:
    metrics = frame("metrics", grid_rows(VARIANTS))
    (block,) = charts(metrics)
    found = points(str(block.content))
    success = select(metrics, {"metric": "success_rate"})
    own = success[success.planner.isin(VARIANTS)].reset_index(drop=True)
    seconds = select(metrics, {"metric": "plan_seconds"}).set_index(["planner", "goal"]).value
    said = {}
    for row in each(own):
        own_seconds = float(seconds[row.planner, row.goal])
        words = f"{row.planner}: {value_text(row, True)}, {seconds_words(own_seconds)} s a decision, n {row.n}"
        said[words] = (row.goal, float(row.value), own_seconds)
    assert {text for text, _, _ in found} == set(said) and len(found) == len(own) == 2 * len(VARIANTS)
    for goal in ("uniform", "cross_room"):
        here = [(*said[text][1:], x, y) for text, x, y in found if said[text][0] == goal]
        values, times, xs, ys = map(list, zip(*here, strict=True))
        assert on_a_line(ys, values) and on_a_line(xs, [float(np.log10(time)) for time in times])
        assert min(ys) < max(ys)  # up is better
        assert here[int(np.argmax(values))][3] == min(ys)


def test_references_are_level_lines_at_their_figures_where_they_are_in_sight() -> None:
    rates = {"cem": 0.95, "icem": 0.85, "mppi": 0.9, "oracle": 0.97, "random": 0.05, "demonstration": 1.0}
    metrics = frame("metrics", grid_rows(SINGLE))
    success = metrics.metric == "success_rate"
    metrics = metrics.assign(value=metrics.planner.map(rates).where(success, metrics.value)).astype(
        {"value": "float64"}
    )
    metrics = metrics.assign(ci_low=metrics.value - 0.04, ci_high=metrics.value + 0.04)
    (block,) = charts(metrics)
    text = str(block.content)
    own = {words.split(":")[0]: y for words, _, y in points(text)}
    levels = {words.split(":")[0]: float(y) for words, y in LEVEL.findall(text)}
    slope, shift = np.polyfit([rates[name] for name in SINGLE], [own[name] for name in SINGLE], 1)
    assert levels == {name: pytest.approx(slope * rates[name] + shift) for name in ("oracle", "demonstration")}
    # What lies far below the planners is not named in the legend.
    assert ">oracle</text>" in text and ">random</text>" not in text


def test_one_planner_alone_or_all_alike_say_nothing() -> None:
    assert charts(frame("metrics", grid_rows(["cem"]))) == []
    metrics = frame("metrics", grid_rows(SINGLE))
    assert charts(metrics.assign(value=metrics.value.where(metrics.metric != "success_rate", 1.0))) == []
    without = metrics[metrics.metric != "plan_seconds"]
    assert charts(without) == []
    assert charts(metrics.assign(value=metrics.value.where(metrics.metric == "success_rate"))) == []


def test_offsets_at_which_all_are_alike_are_left_out() -> None:
    metrics = frame("metrics", grid_rows(SINGLE, (10, 25)))
    alike = (metrics.metric == "success_rate") & (metrics.offset == 10)
    (block,) = charts(metrics.assign(value=metrics.value.mask(alike, 1.0)))
    assert "uniform goals · 25 steps ahead" in block.content and "10 steps ahead" not in block.content
    (block,) = charts(metrics)
    assert "10 steps ahead" in block.content and "25 steps ahead" in block.content


def test_the_line_joins_what_nothing_faster_reaches() -> None:
    rows = pd.DataFrame({"seconds_a_decision": [1, 2, 3, 4, 5], "value": [0.5, 0.4, 0.7, 0.7, 0.6]})
    assert list(_frontier(rows, least=False).seconds_a_decision) == [1, 3]
    assert list(_frontier(rows, least=True).seconds_a_decision) == [1, 2]


def test_variants_of_a_grid_are_a_colour_and_names_say_what_varies() -> None:
    assert base_and_options("cem samples=32 replan=5") == ("cem", {"samples": "32", "replan": "5"})
    assert base_and_options("my cem") == ("my cem", {})
    (block,) = charts(frame("metrics", grid_rows(VARIANTS)))
    text = str(block.content)
    assert "points: samples · iterations · replan" in text and ">icem</text>" in text
    assert re.search(r">32 · 3 · 5</text>", text)
    # Names stand on the best trades alone, not on all 72.
    assert 2 <= len(re.findall(r">\d+ · \d+ · \d+</text>", text)) <= 40


def test_planners_of_other_names_are_named_at_their_points() -> None:
    names = [f"planner{number}" for number in range(15)]
    (block,) = charts(frame("metrics", grid_rows(names)))
    text = str(block.content)
    assert sum(f">{name}</text>" in text for name in names) >= 10 and OWN[1] not in text


def test_privileged_planners_are_hollow_and_marked() -> None:
    metrics = frame("metrics", grid_rows(SINGLE)).assign(privileged=lambda own: own.planner == "cem")
    (block,) = charts(metrics)
    text = str(block.content)
    assert (
        "cem (privileged): " in text
        and text.count("fill: none; stroke: var(--blue)") >= 2
        and "icem (privileged)" not in text
    )
