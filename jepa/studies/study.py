"""What a study is: cells on a grid, a pure function of one cell, and the claims that are read off the table.

A cell is a small job with all that it depends on in its fields, its seed included, so that cells run in any order and
in any process, and one that is done is never done again. Its measures become rows of the study's own table
`study_<name>`, in which every field of a cell is a column.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import Field, NonNegativeInt

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry
from jepa.evaluation.declarations import Column, ColumnType, Section, Table
from jepa.studies.grid import Block, cells_of

if TYPE_CHECKING:  # it imports scipy, and naming the studies there are does without it
    from jepa.studies.claims import Claim

WORLD = "world"
"""The field of a cell that says in which world it plays, where there are several."""
COLUMN_TYPES: dict[type, ColumnType] = {str: "string", int: "int", float: "float", bool: "bool"}


class Cell(Config):
    """One point of a grid; a study adds its parameters as fields of type text, number or truth value."""

    experiment: str = Field(pattern=r"^[a-z0-9_]+$")
    """Which of the study's experiments it belongs to."""
    seed: NonNegativeInt = 0
    """Seed of everything that the cell draws."""


@dataclass(frozen=True)
class Measure:
    """One figure of one cell."""

    metric: str
    value: float
    n: int = 1
    """samples behind the figure"""
    low: float | None = None
    """lower end of its 95 % interval within the cell, where it has one"""
    high: float | None = None
    """upper end"""
    quantity: str | None = None
    """what was measured where one metric has several, e.g. a coordinate"""
    x: float | None = None
    """place along a curve: step, horizon, rank …"""
    unit: str = "1"


@dataclass
class CellResult:
    """Measures of one cell, and rows of the study's further tables by name."""

    measures: list[Measure] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Study(ABC):
    """A grid, a pure function of one cell, and claims; subclasses are registered by their name."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """one line for `jepa study --list`"""
    paper: ClassVar[str] = ""
    """title of the paper whose claims it tests, where there is one"""
    version: ClassVar[int] = 1
    """raised whenever the same cell gives other figures than before"""
    Cell: ClassVar[type[Cell]]
    presets: ClassVar[Mapping[str, Sequence[Block]]]
    """grids by name; `tiny` ends within five minutes on two cores, `paper` is the whole grid"""
    claims: "ClassVar[tuple[Claim, ...]]" = ()
    section: ClassVar[Section | None] = None
    """its figures on the page, drawn from the table `study_<name>` and the further tables"""
    tables: ClassVar[tuple[Table, ...]] = ()
    """further tables that cells fill, e.g. of single points; their names begin with `study_<name>_`"""

    @abstractmethod
    def run(self, cell: Any) -> CellResult:
        """Returns the measures of one cell; everything that it draws comes from the cell's seed."""

    def cost(self, cell: Any) -> float:
        """Returns about how long a cell takes, in any unit: the longest begin first. All are alike by default."""
        return 1.0

    def cells(self, preset: str) -> list[Any]:
        """Returns the cells of a preset.

        Raises:
            InputError: there is no such preset.
        """
        if preset not in self.presets:
            raise InputError(
                f"preset {preset!r} of study {self.name!r} is not known; choose one of: {', '.join(self.presets)}"
            )
        return cells_of(self.Cell, self.presets[preset])

    @classmethod
    def own_table(cls) -> Table:
        """Returns the table of the study's measures: a column for each field of a cell, then the figure.

        A cell's `world` is no column of it: every table has one. Fields that the study adds are optional columns, so
        that rows of cells that were done before a field was added are read beside those that have it.
        """
        return Table(f"study_{cls.name}", (*_cell_columns(cls.Cell), *MEASURE_COLUMNS))

    def rows(self, cell: Any, result: CellResult, seconds: float) -> dict[str, list[dict[str, Any]]]:
        """Returns a cell's rows by table; every row carries the cell's fields."""
        fields = cell.model_dump(mode="json")
        own = [
            {
                **fields,
                **{"metric": one.metric, "quantity": one.quantity, "x": one.x, "value": float(one.value), "n": one.n},
                **{"ci_low": one.low, "ci_high": one.high, "unit": one.unit, "seconds": seconds},
            }
            for one in result.measures
        ]
        return {self.own_table().name: own, **result.tables}


MEASURE_COLUMNS = (
    Column("metric", "string", "what was measured"),
    Column("quantity", "string", "of what, where one metric has several", optional=True),
    Column("x", "float", "place along a curve: step, horizon, rank …", optional=True),
    Column("value", "float", "the figure"),
    Column("n", "int", "samples behind the figure"),
    Column("ci_low", "float", "lower end of its 95 % interval within the cell", optional=True),
    Column("ci_high", "float", "upper end", optional=True),
    Column("unit", "string", "unit of the figure; 1 for a ratio"),
    Column("seconds", "float", "wall time of the cell", optional=True),
)

STUDIES: Registry[type[Study]] = Registry(
    "study",
    {
        "auxiliary": "jepa.studies.auxiliary.study",
        "generalization": "jepa.studies.generalization.study",
        "identifiability": "jepa.studies.identifiability.study",
        "objectives": "jepa.studies.objectives.study",
        "recipes": "jepa.studies.recipes.study",
    },
    group="jepa.studies",
)


def study_of_table(table: str) -> str | None:
    """Returns the registered study that a report table belongs to by its name, None where there is none."""
    own = [name for name in STUDIES if f"{table}_".startswith(f"study_{name}_")] if table.startswith("study_") else []
    return max(own, key=len, default=None)


def _cell_columns(cell: type[Cell]) -> tuple[Column, ...]:
    columns = []
    for name, declared in cell.model_fields.items():
        if name == WORLD:
            continue
        kinds = _kinds(declared.annotation)
        optional = name not in Cell.model_fields
        # A number that may be whole is a number.
        held = kinds - {type(None)} - ({int} if float in kinds else set())
        if len(held) != 1 or not held <= COLUMN_TYPES.keys():
            raise InputError(
                f"field {name!r} of {cell.__name__} should be a text, a number, a truth value, or None with one of "
                f"those, for it is a column; it is {declared.annotation}"
            )
        columns.append(Column(name, COLUMN_TYPES[held.pop()], declared.description or name, optional))
    return tuple(columns)


def _kinds(annotation: Any) -> set[Any]:
    """Returns the types of the values that an annotation allows."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kinds(args[0])
    if origin is Literal:
        return {type(value) for value in args}
    if origin in (Union, UnionType):
        return set().union(*(_kinds(one) for one in args))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {type(one.value) for one in annotation}
    return {annotation}
