"""Rows as the lines of a table in the terminal."""

import io
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

WIDTH = 160


def table_lines(rows: Sequence[Mapping[str, str]], right: Sequence[str] = ()) -> list[str]:
    """Returns the lines of a table with a column for each key of the first row; the last column may be wrapped.

    Args:
        rows: what stands in the columns; all rows have the same keys.
        right: columns that are aligned to the right.
    """
    if not rows:
        return []
    table = Table(box=None, header_style="bold", pad_edge=False)
    names = list(rows[0])
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=name != names[-1])
    for row in rows:
        table.add_row(*(row[name] for name in names))
    text = io.StringIO()
    Console(file=text, width=WIDTH, no_color=True, markup=False, emoji=False, highlight=False).print(table)
    return [line.rstrip() for line in text.getvalue().splitlines()]
