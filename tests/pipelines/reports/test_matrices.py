"""Many headline figures of one kind: a table with every one of them, as it is, and none of another origin."""

from collections.abc import Iterable

import pytest

from pipelines.reports.matrices import MANY, Matrix, gathered
from pipelines.reports.summary import Headline, headlines
from tests.pipelines.reports import synthetic
from tests.pipelines.reports.page.drawings.of_evaluations.planning.grids import VARIANTS, grid_rows
from tests.pipelines.reports.page.drawings.subjects import frame

FOUR = ["cem", "icem", "mppi", "shooting"]


def figures_of(rows: Iterable[synthetic.Row], kind: str = "success") -> list[Headline]:
    """Returns the headline figures of one kind."""
    return [one for one in headlines(frame("metrics", list(rows))) if one.kind == kind]


def table(rows: Iterable[synthetic.Row], kind: str = "success") -> Matrix:
    """Returns the one table of these rows."""
    few, (matrix,) = gathered(figures_of(rows, kind))
    assert few == []
    return matrix


def both_splits(planners: list[str], offsets: tuple[int, ...] = (25,)) -> list[synthetic.Row]:
    """Returns planning's figures of both splits."""
    return [row for split in ("unseen", "test") for row in grid_rows(planners, offsets, split)]


def test_every_figure_stands_in_its_row_and_column_once() -> None:
    figures = figures_of(both_splits(VARIANTS))
    matrix = table(both_splits(VARIANTS))
    assert (
        matrix.title == "goals reached, %, n 40"
        and matrix.row_columns == ("planner",)
        and matrix.row_title == "planner"
    )
    assert [matrix.words(head) for head in matrix.heads] == [
        [split, goal] for split in ("test", "unseen") for goal in ("uniform", "cross-room")
    ]
    shown = [one for _, cells in matrix.rows for one in cells if one is not None]
    assert sorted(map(repr, shown)) == sorted(map(repr, figures)) and len(shown) == 4 * len(VARIANTS)
    for name, cells in matrix.rows:
        for head, one in zip(matrix.heads, cells, strict=True):
            assert one is not None and dict(one.by)["planner"] == name
            assert (one.split, dict(one.by)["goal"]) == head[:2]


def test_the_best_row_stands_first_and_references_follow() -> None:
    success, regret = table(both_splits(FOUR)), table(both_splits(FOUR), "regret")
    means = [sum(one.value for one in cells if one) for _, cells in success.rows]
    assert means == sorted(means, reverse=True) and len(means) == 4
    lost = [sum(one.value for one in cells if one) for _, cells in regret.rows]
    assert lost == sorted(lost) and [name for name, _ in regret.rows] == [name for name, _ in success.rows]
    assert regret.title == "regret, scene width, n 40"
    assert dict(success.beside) == {"random": [0.05] * 4, "demonstration": [1.0] * 4, "oracle": [0.97] * 4}


def test_offsets_are_columns_where_they_differ() -> None:
    matrix = table(grid_rows(FOUR, (25, 100)))
    assert [matrix.words(head) for head in matrix.heads] == [
        [goal, f"{offset} steps ahead"] for goal in ("uniform", "cross-room") for offset in (25, 100)
    ]


def test_few_figures_remain_a_list_in_their_order() -> None:
    rows = [*grid_rows(["cem", "icem", "mppi"]), *synthetic.probing_metrics()]
    figures = headlines(frame("metrics", rows))
    assert len([one for one in figures if one.kind == "success"]) == MANY
    assert gathered(figures) == (figures, [])
    few, many = gathered(headlines(frame("metrics", [*grid_rows(FOUR), *synthetic.probing_metrics()])))
    assert [one.kind for one in few] == ["r2", "r2"] and [one.first.kind for one in many] == ["success", "regret"]


@pytest.mark.parametrize("change", [{"seed": 1}, {"protocol": "other-v1"}])
def test_figures_of_another_origin_have_a_table_of_their_own(change: dict[str, object]) -> None:
    rows = grid_rows(FOUR)
    _, many = gathered(figures_of([*rows, *({**row, **change} for row in rows)]))
    assert len(many) == 2 and all(len(matrix.figures) == 8 for matrix in many)


def test_a_cell_is_the_figure_with_its_interval_and_with_its_samples_where_they_differ() -> None:
    rows = grid_rows(FOUR)
    for row in rows:
        if row["planner"] == "cem" and row["goal"] == "uniform" and row["metric"] == "success_rate":
            row |= {"value": 0.5, "ci_low": 0.4, "ci_high": 0.61, "n": 12}
        if row["planner"] == "icem" and row["metric"] == "success_rate":
            row |= {"ci_low": None, "ci_high": None}
    matrix = table(row for row in rows if (row["planner"], row["goal"]) != ("mppi", "cross_room"))
    texts = {name: [matrix.text(one) for one in cells] for name, cells in matrix.rows}
    assert matrix.title == "goals reached, %" and texts["cem"][0] == "50 (40 – 61), n 12"
    assert texts["icem"][0].endswith(", n 40") and "(" not in texts["icem"][0]
    assert texts["mppi"][1] == "–" and matrix.reference_text(None) == "–" and matrix.reference_text(0.97) == "97"


def test_a_negative_end_is_no_dash_between() -> None:
    rows = grid_rows(FOUR)
    for row in rows:
        if row["metric"] == "regret":
            row |= {"value": 0.01, "ci_low": -0.02, "ci_high": 0.03}
    matrix = table(rows, "regret")
    assert matrix.text(matrix.figures[0]) == "0.010 (−0.020 to 0.030)"


def test_a_privileged_planner_is_marked() -> None:
    metrics = frame("metrics", grid_rows(FOUR)).assign(privileged=lambda own: own.planner.isin(["cem", "oracle"]))
    _, many = gathered(headlines(metrics))
    assert "cem (privileged)" in [name for name, _ in many[0].rows]
    assert {name for name, _ in many[0].beside} == {"random", "demonstration", "oracle"}


def test_parts_of_a_sum_stand_side_by_side_and_all_else_names_the_rows() -> None:
    goals = ("uniform", "cross_room")
    places = [(split, goal, planner) for split in ("test", "unseen") for goal in goals for planner in ("cem", "mppi")]
    rows = [
        synthetic.metric(
            "regret_decomposition", "regret_part", 0.1 * row + 0.01 * place, quantity=part, goal=goal, planner=planner
        )
        | {"split": split}
        for row, (split, goal, planner) in enumerate(places)
        for place, part in enumerate(("cost", "model", "search"))
    ]
    (matrix,) = gathered(headlines(frame("metrics", rows)))[1]
    assert matrix.row_title == "split, goal, planner" and [matrix.words(head) for head in matrix.heads] == [
        ["cost"],
        ["model"],
        ["search"],
    ]
    assert [name for name, _ in matrix.rows] == [
        f"{split}, {goal.replace('_', '-')}, {planner}" for split, goal, planner in places
    ]
    for row, (_, cells) in enumerate(matrix.rows):
        assert [one and one.value for one in cells] == [0.1 * row + 0.01 * place for place in range(3)]
