"""Rows as they are, in a table."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipelines.reports.origins import COLUMNS
from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.numbers import shown
from pipelines.reports.words import digits, plain
from pipelines.store.reports.schema import CONTEXT_COLUMNS, PROVENANCE_COLUMNS

LONGEST = 200
"""Rows that are shown."""
ELSEWHERE = {*COLUMNS, *(column.name for column in (*CONTEXT_COLUMNS, *PROVENANCE_COLUMNS))}
"""Columns that the page shows elsewhere."""


@DRAWINGS.register("table")
class Table(Drawing):
    """The first rows.

    Options: `columns`, their names; by default those with numbers and words that do not say where the rows come from.
    """

    def draw(self, subject: Subject) -> Iterator[Block]:
        rows = subject.rows
        own = [column for column in rows if column not in ELSEWHERE and _is_shown(rows[column])]
        yield Block(html_table(rows.head(LONGEST), subject.option("columns", own)), subject.heading)


def html_table(rows: pd.DataFrame, columns: Sequence[str]) -> Markup:
    """Returns the columns as an HTML table."""
    head = Markup("").join(Markup("<th>{}</th>").format(plain(column)) for column in columns)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(_text(value)) for value in row))
        for row in rows[list(columns)].itertuples(index=False)
    )
    table = Markup('<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>')
    return table.format(head, body)


def _is_shown(column: pd.Series) -> bool:
    """Returns whether it holds anything, and neither pictures nor lists."""
    return not isinstance(column.dtype, pd.ArrowDtype) and bool(column.notna().any())


def _text(value: Any) -> str:
    if value is None or value is pd.NA:
        return "–"
    return shown(digits(value), value) if isinstance(value, float) else str(value)
