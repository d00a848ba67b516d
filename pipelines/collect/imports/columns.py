"""How columns of a file become quantities: `state`, or `agent_position=state[0:2]`, or terms side by side.

A term is a column (`state`, `proprio/effector_pos`), one of its values (`state[4]`), some of them (`state[0:2]`), the
cosine or sine of one of these, or a number for all frames: `block_heading=cos(state[4]),sin(state[4])`, `floor=1`.
Shapes: N rows, d values of a column.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.core.input.conversions import UnfitValueError, to_numbers

QUANTITY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
TERM = re.compile(
    r"(?:(?P<function>cos|sin)\()?"
    r"(?P<column>[A-Za-z0-9_.][A-Za-z0-9_./-]*)"
    r"(?:\[(?P<first>\d+)(?P<range>:(?P<end>\d+))?\])?"
    r"(?(function)\))"
)
FUNCTIONS = {"cos": np.cos, "sin": np.sin}
HELP = "write NAME, NAME=COLUMN or NAME=COLUMN[FIRST:END], e.g. agent_position=state[0:2]"


@dataclass(frozen=True)
class Term:
    """A part of a quantity: a number for all rows, or values of a column."""

    number: float | None = None
    column: str = ""
    first: int = 0
    end: int | None = None
    function: str | None = None

    def size(self, widths: Mapping[str, int]) -> int | None:
        """Returns how many values it gives, of columns of these widths; None where they have too few."""
        if self.number is not None:
            return 1
        width = widths[self.column]
        end = width if self.end is None else self.end
        return end - self.first if self.first < end <= width else None

    def values(self, columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.float32]:
        """Returns its values, (N, d), of columns (N, d)."""
        if self.number is not None:
            return np.full((rows, 1), self.number, dtype=np.float32)
        taken = columns[self.column][:, self.first : self.end]
        try:
            numbers = to_numbers(taken, self.column)
        except UnfitValueError as error:
            column = None if error.column is None else error.column + self.first
            raise UnfitValueError(error.what, error.problem, error.row, column) from error
        if self.function is None:
            return numbers
        return np.asarray(FUNCTIONS[self.function](taken.astype(np.float64)), dtype=np.float32)


@dataclass(frozen=True)
class Mapped:
    """A quantity and what it is made of."""

    text: str
    """as it was written"""

    @cached_property
    def name(self) -> str:
        """Returns the quantity's name."""
        name = self.text.partition("=")[0]
        if not QUANTITY.fullmatch(name):
            raise InputError(f"columns: {name!r} cannot name a quantity; {HELP}")
        return name

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """Returns the parts.

        Raises:
            InputError: the text is not written as it should be.
        """
        name, equals, right = self.text.partition("=")
        return tuple(_term(part.strip(), self.text) for part in (right if equals else name).split(","))

    @property
    def columns(self) -> list[str]:
        """Returns the columns that it takes values of."""
        return list(dict.fromkeys(term.column for term in self.terms if term.number is None))

    def check(self, widths: Mapping[str, int]) -> int:
        """Returns how many values it has.

        Raises:
            InputError: a column has fewer than are asked for.
        """
        sizes = [term.size(widths) for term in self.terms]
        for term, size in zip(self.terms, sizes, strict=True):
            if size is None:
                raise InputError(f"columns: {self.text!r} asks for more than the {widths[term.column]} values of a row")
        return sum(size for size in sizes if size is not None)

    def values(self, columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.float32]:
        """Returns the quantity, (N, d).

        Raises:
            UnfitValueError: a value cannot be stored.
        """
        return np.concatenate([term.values(columns, rows) for term in self.terms], axis=1)


def read_columns(texts: Sequence[str]) -> tuple[Mapped, ...]:
    """Returns the quantities that texts describe, in the order of their names.

    Raises:
        InputError: one is not written as it should be, or two have the same name.
    """
    mapped = sorted((Mapped(text) for text in texts), key=lambda one: one.name)
    for first, second in pairwise(mapped):
        if first.name == second.name:
            raise InputError(f"columns: quantity {first.name!r} is given twice; leave one out")
    for one in mapped:
        _ = one.terms
    return tuple(mapped)


def _term(text: str, whole: str) -> Term:
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        return Term(number=float(to_numbers(number, f"columns: {whole!r}")))
    found = TERM.fullmatch(text)
    if found is None:
        raise InputError(f"columns: {whole!r} cannot be read at {text!r}; {HELP}")
    first, end = found["first"], found["end"]
    last = None if first is None else int(first) + 1 if end is None else int(end)
    return Term(None, found["column"], int(first or 0), last, found["function"])
