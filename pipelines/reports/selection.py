"""Picking rows by what their columns say, with a missing value as a value like any other."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

LEADING, TRAILING = ("uniform", "random", "true"), ("demonstration", "oracle")
"""Values that are read before and after all others: the plain kinds of goal and distance, floor and ceilings of
planners."""


def grouped(rows: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Yields the rows of each combination of values in reading order, with the values by column.

    A missing value is None, comes first, and loses no row. Columns that the rows do not have tell nothing apart.
    """
    held = [column for column in columns if column in rows]
    if rows.empty:
        return
    if not held:
        yield {}, rows
        return
    groups = [(_values(held, key), own) for key, own in rows.groupby(held, dropna=False, sort=False)]
    yield from sorted(groups, key=lambda group: [reading_order(value) for value in group[0].values()])


def select(
    rows: pd.DataFrame, where: Mapping[str, str | Sequence[str]], without: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Returns the rows whose columns have the values of `where`, or one of several, and none of those of `without`.

    A value is compared with the column's text, a truth value's being `true` or `false`, a missing one's empty.
    """
    kept = pd.Series(True, index=rows.index)
    for column, value in where.items():
        kept &= _text(rows[column]).isin([value] if isinstance(value, str) else list(value))
    for column, values in (without or {}).items():
        kept &= ~_text(rows[column]).isin(list(values))
    return rows[kept]


def reading_order(value: Any) -> tuple[int, int, Any]:
    """Returns the key by which values are sorted for people: missing, leading, numbers, words, trailing.

    Numbers within words count as numbers: `samples=32` stands before `samples=100`.
    """
    if value is None:
        return 0, 0, 0
    if value in LEADING:
        return 1, LEADING.index(value), 0
    if not isinstance(value, str):
        return 2, 0, value
    parts = [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", value)]
    return (4 if value in TRAILING else 3), 0, parts


def _values(columns: Sequence[str], key: Any) -> dict[str, Any]:
    values = key if isinstance(key, tuple) else (key,)
    return {column: None if pd.isna(value) else value for column, value in zip(columns, values, strict=True)}


def _text(column: pd.Series) -> pd.Series:
    text = column.astype(object).where(column.notna(), "").map(str)
    return text.str.lower() if pd.api.types.is_bool_dtype(column) else text
