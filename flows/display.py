"""Figures as a table in the terminal."""

import io
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.reports.summary import Headline


def metrics_lines(headlines: Sequence[Headline]) -> list[str]:
    """Returns the headline figures as the lines of a table."""
    rows = headline_rows(headlines)
    if not rows:
        return ["no figures on held-out episodes yet"]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in rows[0]:
        table.add_column(column, justify="right" if column in ("value", "n") else "left", no_wrap=column != "beside")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    text = io.StringIO()
    Console(file=text, width=130, no_color=True).print(table)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def headline_rows(headlines: Sequence[Headline]) -> list[dict[str, Any]]:
    """Returns the figures as people read them, a dictionary for each row."""
    return [
        {
            "split": headline.split,
            "figure": headline.label,
            "value": headline.value_text,
            "95 % interval": headline.interval_text,
            "n": headline.n,
            "beside": headline.beside_text,
        }
        for headline in headlines
    ]
