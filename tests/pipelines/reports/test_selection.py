"""Picking rows: missing values are values, and people read in an order of their own."""

import pandas as pd

from pipelines.reports.selection import grouped, reading_order, select

ROWS = pd.DataFrame(
    {
        "planner": pd.array(["oracle", "cem", None, "random", "cem"], dtype="string"),
        "seed": [0, 1, 0, 0, 0],
        "good": [True, False, True, True, False],
        "value": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
)


def test_a_missing_value_is_a_group_of_its_own() -> None:
    groups = {tuple(values.values()): list(rows.value) for values, rows in grouped(ROWS, ["planner", "seed"])}
    assert list(groups) == [(None, 0), ("random", 0), ("cem", 0), ("cem", 1), ("oracle", 0)]
    assert groups[(None, 0)] == [3.0] and sum(map(len, groups.values())) == len(ROWS)


def test_columns_that_are_not_there_tell_nothing_apart() -> None:
    assert [(values, len(rows)) for values, rows in grouped(ROWS, ["hue"])] == [({}, 5)]
    assert list(grouped(ROWS.iloc[:0], ["seed"])) == []


def test_rows_are_picked_by_the_text_of_their_columns() -> None:
    assert list(select(ROWS, {"planner": "cem"}).value) == [2.0, 5.0]
    assert list(select(ROWS, {"good": "true", "seed": "0"}).value) == [1.0, 3.0, 4.0]
    # A row without a planner is none of these planners'.
    assert list(select(ROWS, {}, {"planner": ("cem", "oracle")}).value) == [3.0, 4.0]


def test_references_frame_what_they_are_references_for() -> None:
    names = ["oracle", "icem", "random", "cross_room", "uniform", None, 2, 10]
    assert sorted(names, key=reading_order) == [None, "uniform", "random", 2, 10, "cross_room", "icem", "oracle"]
    assert sorted(["oracle", "uniform", "demonstration"], key=reading_order)[1:] == ["demonstration", "oracle"]


def test_one_of_several_values_or_none_may_be_asked_for() -> None:
    rows = pd.DataFrame({"frames": pd.array([1, 3, None], "Int64"), "latents": ["encoder", "state", None]})
    assert list(select(rows, {"frames": ("1", "")}).index) == [0, 2]
    assert list(select(rows, {"frames": "1"}).index) == [0]
    assert list(select(rows, {"latents": ("encoder", "state"), "frames": "3"}).index) == [1]


def test_numbers_within_words_count_as_numbers() -> None:
    labels = ["cem samples=100", "cem", "9", "cem samples=32", "10", "b"]
    assert sorted(labels, key=reading_order) == ["9", "10", "b", "cem", "cem samples=32", "cem samples=100"]
