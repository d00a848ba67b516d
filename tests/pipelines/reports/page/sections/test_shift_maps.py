"""The heat map of shifts: numbers are the table's, colours say which way and how far, stars what is significant."""

import re
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from pipelines.reports.page.sections.shift_maps import heat_map
from pipelines.reports.shifts import newest_cells

SAME: dict[str, Any] = {"world": "two_room", "model": "m0", "model_digest": "a", "usual_dataset": "d0@1"}
SAME |= {"protocol": "p"}
SAME |= {"protocol_digest": "b", "evaluation_version": 1, "evaluation": "planning", "seed": 0, "n": 50, "usual_n": 60}


def cell(factor: str, value: float, figure: str, own: float, usual: float, p_holm: float | None, **more: Any) -> Any:
    """Returns a row of the table `shifts`."""
    row = {"factor": factor, "factor_value": value, "figure": figure, "label": f"{figure} in words", "value": own}
    row |= {"usual_value": usual, "difference": own - usual, "difference_low": None, "difference_high": None}
    row |= {"percent": figure == "success", "less_is_better": figure == "regret", "p": p_holm, "p_holm": p_holm}
    row |= {"test": "Welch's", "cells": 4, "oracle_value": None, "oracle_difference": None}
    names = ["planner", "probe", "shift", "quantity", "goal", "offset", "unit", "ci_low", "ci_high"]
    row |= dict.fromkeys([*names, "usual_ci_low", "usual_ci_high"])
    return {**SAME, **row, "created_at": datetime(2026, 1, 1, tzinfo=UTC), **more}


@pytest.fixture(scope="module")
def drawn() -> str:
    rows = [
        cell("door", 0.1, "success", 0.25, 0.75, 0.001, oracle_value=0.9, oracle_difference=-0.1),
        cell(
            "door",
            0.5,
            "success",
            0.85,
            0.75,
            0.4,
            difference_low=-0.1,
            difference_high=0.3,
            oracle_value=1.0,
            oracle_difference=0.0,
        ),
        cell("door", 0.1, "regret", 0.5, 0.1, 0.01),
        cell("agent_radius", 0.08, "regret", 0.05, 0.1, None),
        cell("agent_radius", 0.08, "sigreg", 5.0, 2.0, 0.001),
    ]
    return str(heat_map(newest_cells(pd.DataFrame(rows))))


def test_every_number_is_there_in_full(drawn: str) -> None:
    values = [float(value) for value in re.findall(r'<data value="([^"]+)"', drawn)]
    regret, success = [0.1, 0.05, -0.05, 0.5, 0.4], [0.75, 0.25, -0.5, 0.85, 0.1]
    assert values == pytest.approx([*regret, *[2.0, 5.0, 3.0], *success, *[1.0, 0.9, -0.1, 1.0, 0.0]]), (
        "the oracle's last"
    )


def test_colour_says_which_way_and_how_far(drawn: str) -> None:
    found = re.findall(r'<td class="figure( worse| better)" style="--change: ([0-9.]+)"', drawn)
    # Less regret is better, less success worse; what is not significant is faint by its interval; SIGReg has no side.
    assert [name.strip() for name, _ in found] == ["better", "worse", "worse", "better"]
    assert [float(depth) for _, depth in found] == pytest.approx([0.0, 1.0, 1.0, 0.035], abs=0.006)


def test_a_star_marks_what_is_significant_after_the_correction(drawn: str) -> None:
    assert re.findall(r">([^<>]+)</data>\*", drawn) == ["0.500", "5.000", "25 %"]


def test_columns_say_what_training_showed(drawn: str) -> None:
    heads = re.findall(r'<th class="figure" colspan="(\d)">([^<]+)<small>([^<]*)</small>', drawn)
    assert heads == [("1", "agent radius", "0.045 in training"), ("2", "door", "drawn from 0.2 to 0.8 in training")]
    assert re.findall(r'<th class="figure">([0-9.]+)<small>training contained this</small>', drawn) == ["0.5"]


def test_of_a_cell_that_was_compared_twice_the_newest_counts() -> None:
    old = cell("door", 0.1, "success", 0.25, 0.75, 0.001)
    new = cell("door", 0.1, "success", 0.35, 0.75, 0.2, created_at=datetime(2026, 1, 2, tzinfo=UTC))
    other = cell("door", 0.1, "success", 0.15, 0.75, 0.2, model="m1")
    assert newest_cells(pd.DataFrame([new, old, other])).value.tolist() == [0.35, 0.15]
