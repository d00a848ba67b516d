"""Headline figures of one kind that are many, such as those of fifteen planners, as a small table and no list."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipelines.reports.origins import COLUMNS
from pipelines.reports.selection import reading_order
from pipelines.reports.summary import HELD_OUT, Headline
from pipelines.reports.words import plain, value_words

MANY = 6
"""Figures of one kind and origin that are still a list."""
SPLIT = "split"


@dataclass(frozen=True)
class Matrix:
    """Headline figures of one kind: a row for each planner, say, a column for each kind of goal and split."""

    figures: tuple[Headline, ...]

    @property
    def first(self) -> Headline:
        """Returns one of them, of whose origin all are, splits aside."""
        return self.figures[0]

    @property
    def title(self) -> str:
        """Returns what the figures are, with their unit, and with their samples where these are the same for all."""
        unit = "%" if self.first.percent else self.first.unit_text
        n = f"n {self.first.n}" if self.same_n else ""
        return ", ".join(part for part in (self.first.title, unit, n) if part)

    @property
    def same_n(self) -> bool:
        """Returns whether all figures are of as many samples."""
        return len({one.n for one in self.figures}) == 1

    @cached_property
    def row_columns(self) -> tuple[str, ...]:
        """Returns the columns whose values name the rows.

        All but the one that goes `across`, where the figure names one; else the one with the most values, the last of
        several such.
        """
        if self.first.across:
            return (SPLIT, *(name for name, _ in self.first.by if name != self.first.across))
        counts = {name: len({self._value(one, name) for one in self.figures}) for name, _ in self.first.by}
        return (max(reversed(list(counts)), key=lambda name: counts[name]),)

    @property
    def row_title(self) -> str:
        """Returns what the rows are."""
        differ = [name for name in self.row_columns if len({self._value(one, name) for one in self.figures}) > 1]
        return ", ".join(map(plain, differ or self.row_columns[-1:]))

    @cached_property
    def head_columns(self) -> tuple[str, ...]:
        """Returns the columns whose values name the columns of the table."""
        return tuple(name for name in (SPLIT, *(name for name, _ in self.first.by)) if name not in self.row_columns)

    @cached_property
    def heads(self) -> list[tuple[Hashable, ...]]:
        """Returns the values that each column of the table has in common, in reading order."""
        return self._ordered(self.head_columns)

    def words(self, head: tuple[Hashable, ...]) -> list[str]:
        """Returns the words of a column that tell it from the others; none where there is one only."""
        return self._differing(self.head_columns, head)

    @cached_property
    def rows(self) -> list[tuple[str, list[Headline | None]]]:
        """Returns the name of each row and its figure in each column, the best row first.

        Rows that several columns name stay in reading order.
        """
        cells = {(self._values(one, self.row_columns), self._head(one)): one for one in self.figures}
        rows = [(key, [cells.get((key, head)) for head in self.heads]) for key in self._ordered(self.row_columns)]
        if not self.first.across:
            # Stable: what is alike stays in reading order.
            rows.sort(key=lambda row: self._rank(row[1]))
        return [(self._row_name(key, own), own) for key, own in rows]

    @cached_property
    def beside(self) -> list[tuple[str, list[float | None]]]:
        """Returns the name of each reference and its figure in each column; none where rows differ in theirs."""
        found: dict[str, dict[tuple[Hashable, ...], float]] = {}
        for one in () if self.first.across else self.figures:
            for name, value in one.beside:
                found.setdefault(name, {})[self._head(one)] = value
        return [(name, [own.get(head) for head in self.heads]) for name, own in found.items()]

    def text(self, one: Headline | None) -> str:
        """Returns a figure with its interval, a dash where there is none; the unit is said by the title."""
        if one is None:
            return "–"
        value, low, high = (self._number(end) for end in (one.value, one.ci_low, one.ci_high))
        between = " to " if (one.ci_low or 0) < 0 else " – "
        interval = f" ({low}{between}{high})" if one.interval_text else ""
        return f"{value}{interval}" + ("" if self.same_n else f", n {one.n}")

    def reference_text(self, value: float | None) -> str:
        """Returns a reference's figure, a dash where there is none."""
        return "–" if value is None else self._number(value)

    def _row_name(self, key: tuple[Hashable, ...], row: Sequence[Headline | None]) -> str:
        marks = dict.fromkeys(mark for one in row if one is not None for mark in one.marks)
        if len(key) == 1:
            # Whole, where `value_words` cuts: what is cut off may be what tells two variants apart.
            words = key[0] if isinstance(key[0], str) else value_words(self.row_columns[0], key[0])
        else:
            words = ", ".join(self._differing(self.row_columns, key)) or value_words(self.row_columns[-1], key[-1])
        return f"{words} ({', '.join(marks)})" if marks else words

    def _number(self, value: float | None) -> str:
        return "" if value is None else self.first.format(value).removesuffix(" %")

    def _head(self, one: Headline) -> tuple[Hashable, ...]:
        return self._values(one, self.head_columns)

    def _ordered(self, columns: Sequence[str]) -> list[tuple[Hashable, ...]]:
        """Returns the combinations of values that there are, in reading order, test episodes first."""
        found = dict.fromkeys(self._values(one, columns) for one in self.figures)
        return sorted(found, key=lambda key: [*map(_order, columns, key)])

    def _differing(self, columns: Sequence[str], key: tuple[Hashable, ...]) -> list[str]:
        """Returns the words of those values in which the combinations differ."""
        every = {self._values(one, columns) for one in self.figures}
        differ = [len({other[place] for other in every}) > 1 for place in range(len(columns))]
        words = [value_words(name, value) for name, value in zip(columns, key, strict=True)]
        return [word for word, differs in zip(words, differ, strict=True) if differs]

    @classmethod
    def _values(cls, one: Headline, columns: Sequence[str]) -> tuple[Hashable, ...]:
        return tuple(cls._value(one, name) for name in columns)

    @staticmethod
    def _value(one: Headline, name: str) -> Hashable:
        return one.split if name == SPLIT else dict(one.by)[name]

    def _rank(self, row: Sequence[Headline | None]) -> float:
        values = [one.value for one in row if one is not None]
        mean = sum(values) / len(values)
        return mean if self.first.less_is_better else -mean


def _order(column: str, value: Hashable) -> tuple[int, int, object]:
    return (0, HELD_OUT.index(str(value)), 0) if column == SPLIT else reading_order(value)


def gathered(headlines: Sequence[Headline]) -> tuple[list[Headline], list[Matrix]]:
    """Returns the figures that are few of their kind, and those that are many, together; the order stays.

    Figures of different origins are in tables of their own; splits stand side by side.
    """
    found: dict[tuple[Hashable, ...], list[Headline]] = {}
    for one in headlines:
        origin = tuple(getattr(one, column) for column in COLUMNS if column != SPLIT)
        found.setdefault((*origin, one.kind), []).append(one)
    few: list[Headline] = []
    many: list[Matrix] = []
    for own in found.values():
        most = max(sum(one.split == split for one in own) for split in HELD_OUT)
        if most > MANY and own[0].by:
            many.append(Matrix(tuple(own)))
        else:
            few += own
    kept = set(map(id, few))
    return [one for one in headlines if id(one) in kept], many
