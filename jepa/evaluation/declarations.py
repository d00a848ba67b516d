"""What an evaluation declares of itself: its tables, the figures that open a report, and its section of the page.

Plain data, with no dependency on how tables are stored or pages are drawn: the store makes schemas of it, the terminal
and the page show it. So a new evaluation is one file, and shows everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ColumnType = Literal["string", "int", "float", "bool", "bytes", "time", "point", "points"]
"""`time` is a moment in UTC, `point` a list of numbers, `points` a list of points."""


@dataclass(frozen=True)
class Column:
    """One column of a table; `optional` ones may be left out of a row and are null then."""

    name: str
    type: ColumnType
    meaning: str
    optional: bool = False


def interval(low: str = "ci_low", high: str = "ci_high", over: str = "") -> tuple[Column, Column]:
    """Returns the columns of the two ends of a figure's 95 % interval; an interval that does not exist is null.

    Args:
        low: name of the one.
        high: name of the other.
        over: what it is over, e.g. `over episodes`.
    """
    of = f"of its 95 % interval {over}".rstrip()
    return Column(low, "float", f"lower end {of}", optional=True), Column(
        high, "float", f"upper end {of}", optional=True
    )


@dataclass(frozen=True)
class Table:
    """A table with finer rows than `metrics`, e.g. one for each episode; context and provenance columns come on top."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class HeadlineFigure:
    """A figure that says how good a model is: shown in the terminal, in `--json` and as a tile of the page.

    It is made of the `metrics` rows of one model, dataset version, protocol, split and seed in which `metric` has this
    value and the `where` columns have these; there is one for each combination of the values of `by`. Several rows of
    one combination are averaged. A column of `by` that `label` does not mention is named where its values differ.
    """

    name: str
    """short identifier, e.g. `success`"""
    metric: str
    label: str
    """words for it, with columns of `by` in braces, e.g. `goals reached, {goal}`"""
    title: str = ""
    """words for all of its figures together; by default those of `label` before the first brace"""
    by: tuple[str, ...] = ()
    """columns that tell its figures apart"""
    where: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """columns and the value that its rows have there, or one of several; an empty one stands for a missing value"""
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """columns and values whose rows play no part, e.g. planner: oracle, where its figure is zero by definition"""
    last: str = ""
    """a column of which the greatest value alone is shown, e.g. the furthest of several horizons"""
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """a column and values of it that are no merit of the model: such rows stand beside, e.g. planner: random, oracle"""
    marks: tuple[str, ...] = ()
    """columns of truth values that are named where they are true, e.g. privileged"""
    constants: Mapping[str, float] = field(default_factory=dict)
    """references that are known beforehand, by name, e.g. chance: 0.5"""
    percent: bool = False
    """whether it reads best as a percentage"""
    track: tuple[float, float] | None = (0.0, 1.0)
    """ends of the tile's bar; None where a figure has no natural ends"""
    less_is_better: bool | None = False
    """whether a smaller figure is a better one, so that the smallest of many stands first; None where neither is, e.g.
    of SIGReg, which is best at 1"""
    across: str = ""
    """of many figures in a table, the column of `by` whose values stand side by side and the rest of which name the
    rows, e.g. the parts of a sum; by default the column with the most values names the rows"""
    order: int = 100
    """place among the figures of all evaluations, the smallest first"""


@dataclass(frozen=True)
class Chart:
    """A figure of the page: a registered way of drawing, the rows that it is drawn from, and how to read it."""

    drawing: str
    """registered name of a drawing: `bars`, `lines`, `scatter`, `strips`, `table` for any evaluation, others for one"""
    table: str = "metrics"
    where: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """columns and the value that its rows have there, or one of several; an empty one stands for a missing value"""
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """columns and values whose rows are left out"""
    heading: str = ""
    reading: str = ""
    """one or two sentences on how to read it"""
    options: Mapping[str, object] = field(default_factory=dict)
    """what the drawing takes besides, e.g. the columns of its axes"""


@dataclass(frozen=True)
class Section:
    """A part of the page; where it has no rows it says `missing`, or is left out where that is empty."""

    title: str
    charts: tuple[Chart, ...] = ()
    missing: str = ""
    order: int = 100
    """place among the sections of all evaluations, the smallest first"""


@dataclass(frozen=True)
class Declarations:
    """All that a kind of evaluation declares for the tables and the page."""

    tables: tuple[Table, ...] = ()
    headlines: tuple[HeadlineFigure, ...] = ()
    section: Section | None = None
