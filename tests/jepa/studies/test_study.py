"""Studies: columns of their tables, cells of their grids, and presets that are right."""

import pytest

from jepa.core.errors import InputError
from jepa.studies import STUDIES, Block, Cell, CellResult, cells_of, judge
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
    assert columns["rate"] == ("float", False) and columns["deep"] == ("bool", False)
    assert columns["note"] == ("string", True) and columns["seed"] == ("int", False)
    assert table.name == "study_one" and {"metric", "value", "n", "ci_low"} <= columns.keys()


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
