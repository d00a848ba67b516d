"""The table of figures: every figure that is in the rows, as it is there, the best first and references below."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jepa.evaluation.kinds.planning.report import SECTION
from pipelines.reports.page.drawings.figure_table import figure_text
from pipelines.reports.words import digits
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.charts import table_rows
from tests.pipelines.reports.page.drawings.subjects import drawn, frame

(CHART,) = (chart for chart in SECTION.charts if chart.drawing == "figure_table")
OPTIONS: Mapping[str, Any] = CHART.options
PLANNERS = {"icem": 0.9, "cem": 0.8, "shooting": 0.5, "random": 0.1, "oracle": 0.95, "demonstration": 1.0}


def rows(seed: int = 0) -> list[synthetic.Row]:
    """Returns planning's figures of several planners, goals and offsets, each with a value of its own."""
    rng = np.random.default_rng(seed)
    made = []
    for goal in ("uniform", "cross_room"):
        for offset in (25, 100):
            for planner, rate in PLANNERS.items():
                where = {"planner": planner, "goal": goal, "offset": offset, "n": 40}
                figures: dict[tuple[str, str | None], float] = {
                    ("success_rate", None): rate,
                    ("spl", None): 0.7 * rate,
                    ("plan_seconds", None): 0.0213,
                }
                figures |= {("regret", q): 0.95 - rate for q in ("success", "final_distance")}
                for (metric, quantity), value in figures.items():
                    moved = value + float(rng.uniform(-0.004, 0.004))
                    unit = "s" if metric == "plan_seconds" else "scene width" if quantity == "final_distance" else "1"
                    made.append(synthetic.metric("planning", metric, moved, quantity=quantity, unit=unit, **where))
    return made


def table(made: list[synthetic.Row], **options: Any) -> list[tuple[str, list[list[str]]]]:
    """Returns the rows of the drawn table, its head first."""
    (block,) = drawn("figure_table", "metrics", frame("metrics", made), **{**OPTIONS, **options})
    return table_rows(str(block.content))


def test_every_cell_is_a_figure_of_the_rows_with_its_interval() -> None:
    made = rows()
    (_, head), *lines = table(made)
    titles = [cell[0] for cell in head]
    known = ["goals reached", "regret, success", "regret, distance", "SPL", "seconds a decision"]
    assert titles == ["planner", *known, "n"]
    names = {title: name for name, title in OPTIONS["figures"].items()}
    group, seen = "", 0
    for kind, cells in lines:
        if kind == 'class="group"':
            group = cells[0][0]
            continue
        for title, cell in zip(titles[1:-1], cells[1:-1], strict=True):
            metric, *quantity = names[title].split()
            (row,) = (
                one
                for one in made
                if f"{one['goal'].replace('_', '-')} goals, {one['offset']} steps ahead" == group
                and (one["planner"], one["metric"]) == (cells[0][0], metric)
                and [one["quantity"]] == (quantity or [None])
            )
            percent = names[title] in OPTIONS["percent"]
            value, low, high = (figure_text(row[end], row["unit"], percent) for end in ("value", "ci_low", "ci_high"))
            assert cell[0] == value and cell[1].replace(" to ", " – ") == f"{low} – {high}".replace(" %", "")
            seen += 1
        assert cells[-1] == ["40"]
    assert seen == len(made) and head[3] == ["regret, distance", "scene width"]


def test_the_best_come_first_and_references_last_in_each_group() -> None:
    _, *lines = table(rows())
    names = [(kind, cells[0][0]) for kind, cells in lines]
    goals = [f"{goal} goals, {offset} steps ahead" for goal in ("uniform", "cross-room") for offset in (25, 100)]
    own = [("", "icem"), ("", "cem"), ("", "shooting")]
    beside = [('class="reference"', name) for name in ("random", "demonstration", "oracle")]
    assert names == [line for goal in goals for line in [('class="group"', goal), *own, *beside]]


def test_planners_that_reach_as_much_are_sorted_by_their_regret() -> None:
    figures = {"cem": 0.05, "icem": 0.01, "mppi": 0.2}
    made = [
        synthetic.metric("planning", name, value, planner=planner, goal="uniform", offset=25, quantity=quantity)
        for planner, regret in figures.items()
        for name, quantity, value in (("success_rate", None, 0.9), ("regret", "final_distance", regret))
    ]
    assert [cells[0][0] for kind, cells in table(made)[2:]] == ["icem", "cem", "mppi"]


def test_a_figure_that_nobody_knew_of_has_a_column_and_one_of_fewer_samples_says_so() -> None:
    made = rows()
    of = {"planner": "cem", "goal": "uniform", "offset": 25}
    made += [synthetic.metric("planning", "reached_of_reachable", 0.5, half=0.1, **{**of, "n": 31})]
    (_, head), *lines = table(made)
    assert [cell[0] for cell in head][-2:] == ["reached of reachable", "n"]
    by_name = {cells[0][0]: cells for kind, cells in lines[1:7]}
    assert by_name["cem"][-2] == ["0.500", "0.400 – 0.600, n 31"] and by_name["icem"][-2] == ["–"]


def test_privileged_planners_are_marked_and_references_are_not() -> None:
    made = frame("metrics", rows()).assign(privileged=lambda own: own.planner.isin(["cem", "oracle"]))
    (block,) = drawn("figure_table", "metrics", made, **OPTIONS)
    text = str(block.content)
    assert text.count("privileged") == text.count("cem (privileged)") == 4
    for column in (pd.Series([False] * len(made)), pd.Series([None] * len(made), dtype="boolean")):
        (block,) = drawn("figure_table", "metrics", made.assign(privileged=column), **OPTIONS)
        assert "privileged" not in block.content


def test_figures_without_an_interval_or_a_value_are_dashes_or_stand_alone() -> None:
    made = rows()
    made[0] |= {"ci_low": None, "ci_high": None}
    made[1] |= {"value": float("nan")}
    cells = {cells[0][0]: cells for kind, cells in table(made)[2:8]}["icem"]
    assert len(cells[1]) == 1 and cells[4] == ["–"]
    assert drawn("figure_table", "metrics", frame("metrics", []), **OPTIONS) == []


@pytest.mark.parametrize(
    ("value", "unit", "percent", "text"),
    [
        (0.934, "1", True, "93 %"),
        (-0.05, "1", True, "−5 %"),
        (0.0213, "s", False, "0.021"),
        (0.0000312, "s", False, "0.000031"),
        (12.345, "s", False, digits(12.345)),
        (-0.0042, "scene width", False, "−0.004"),
    ],
)
def test_figures_have_the_digits_that_they_deserve(value: float, unit: str, percent: bool, text: str) -> None:
    assert figure_text(value, unit, percent) == text
