"""Studies: columns of their tables, cells of their grids, and presets that are right."""

from enum import Enum
from typing import Any, Literal, Optional

import pytest
from pydantic import PositiveFloat, PositiveInt, create_model

from jepa.core.errors import InputError
from jepa.studies import STUDIES, Block, Cell, CellResult, Claim, Finding, cells_of, judge
from jepa.studies.grid import LARGEST
from jepa.studies.study import Study, study_of_table


class Point(Cell):
    """A cell with a field of each kind."""

    rate: float = 0.5
    deep: bool = False
    note: str | None = None


class One(Study):
    """A study of such cells."""

    name = "one"
    Cell = Point

    def run(self, cell: Point) -> CellResult:
        return CellResult()


def test_the_last_field_varies_fastest_and_each_cell_stands_once() -> None:
    blocks: list[Block] = [
        {"experiment": "a", "rate": [0.1, 0.2], "seed": range(2)},
        {"experiment": "a", "rate": 0.1, "seed": 1},
    ]
    cells = cells_of(Point, blocks)
    assert [(cell.rate, cell.seed) for cell in cells] == [(0.1, 0), (0.1, 1), (0.2, 0), (0.2, 1)]
    with pytest.raises(InputError, match=r"grid\.0\.rat: Extra inputs"):
        cells_of(Point, [{"experiment": "a", "rat": 1}])


def test_every_field_of_a_cell_is_a_column() -> None:
    table = One.own_table()
    columns = {column.name: (column.type, column.optional) for column in table.columns}
    assert columns["rate"] == ("float", True) and columns["deep"] == ("bool", True)
    assert columns["note"] == ("string", True) and columns["seed"] == ("int", False)
    assert table.name == "study_one" and {"metric", "value", "n", "ci_low"} <= columns.keys()


class Mode(Enum):
    """Two texts."""

    ONE = "one"
    OTHER = "other"


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (PositiveFloat | None, "float"),
        (Optional[PositiveInt], "int"),  # noqa: UP045  it is written so, too
        (int | float, "float"),
        (Literal["a", "b"], "string"),
        (Literal["a"] | None, "string"),
        (Literal[1, 2], "int"),
        (Literal[True], "bool"),
        (Mode, "string"),
        (tuple[int, ...], None),
        (int | str, None),
        (dict[str, Any], None),
        (None, None),
    ],
)
def test_a_field_s_values_say_what_its_column_is_and_others_are_refused(annotation: Any, kind: str | None) -> None:
    own = create_model("Own", __base__=Point, extra=(annotation, ...))
    varied: type[Study] = type("Varied", (One,), {"Cell": own})
    if kind is None:
        with pytest.raises(InputError, match="field 'extra' of Own should be a text, a number, a truth value"):
            varied.own_table()
    else:
        assert {column.name: column.type for column in varied.own_table().columns}["extra"] == kind


@pytest.mark.parametrize("seeds", [[0] * (LARGEST + 1), range(10**9), range(LARGEST + 1)])
def test_a_grid_that_is_too_large_is_refused_before_it_is_spelled_out(seeds: Any) -> None:
    with pytest.raises(InputError, match=f"over {LARGEST} cells"):
        cells_of(Point, [{"experiment": "a", "seed": seeds}])


def test_a_judge_that_raises_costs_no_other_claim_its_verdict(caplog: pytest.LogCaptureFixture) -> None:
    class Two(One):
        claims = (
            Claim("breaks", "s", "It breaks.", "p", lambda rows: Finding("held", str(rows.rows[0]))),
            Claim("stands", "s", "It stands.", "p", lambda rows: Finding("held", "ours")),
        )

    (_, breaks), (_, stands) = judge(Two(), [])
    assert breaks == Finding("not decided", "its judge failed: IndexError: list index out of range")
    assert stands == Finding("held", "ours")
    assert "claim breaks of study one is not decided: its judge failed" in caplog.text


@pytest.mark.parametrize("name", list(STUDIES))
def test_every_study_has_right_presets_and_claims_that_wait_for_their_cells(name: str) -> None:
    study = STUDIES.get(name)()
    assert study.name == name and study.summary and {"tiny", "paper"} <= study.presets.keys()
    for preset in study.presets:
        cells = study.cells(preset)
        assert cells and all(study.cost(cell) > 0 for cell in cells)
        assert {type(value) for cell in cells for value in cell.model_dump().values()} <= {
            str,
            int,
            float,
            bool,
            type(None),
        }
    assert len({claim.name for claim in study.claims}) == len(study.claims)
    # Without any cell nothing is decided.
    assert {finding.verdict for _, finding in judge(study, [])} <= {"not decided"}
    for table in (study.own_table(), *study.tables):
        assert study_of_table(table.name) == name
