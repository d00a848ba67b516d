"""Charts and tables of a page as tests read them: what was drawn where, and the figures that stand in cells."""

import html
import re

import numpy as np

HINTED = r"<g><title>([^<]*)</title>(?:(?!<title>).)*?"
POINT = re.compile(HINTED + r'<use [^>]*?x="([^"]*)" y="([^"]*)"', re.DOTALL)
LEVEL = re.compile(r'<g><title>([^<]*)</title>\s*<path d="M [-0-9.]+ ([-0-9.]+)')
ROW = re.compile(r"<tr( class=\"[a-z]+\")?>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", re.DOTALL)


def points(content: str) -> list[tuple[str, float, float]]:
    """Returns the hint of each point and where it is drawn, in the chart's own units, from the upper left."""
    return [(html.unescape(text), float(x), float(y)) for text, x, y in POINT.findall(content)]


def on_a_line(drawn: list[float], values: list[float]) -> bool:
    """Returns whether places in a chart are those of the values: one scale and one shift lead from these to those."""
    slope, shift = np.polyfit(values, drawn, 1)
    return bool(np.allclose(np.polyval([slope, shift], values), drawn, atol=0.05)) and abs(slope) > 1e-9


def table_rows(content: str) -> list[tuple[str, list[list[str]]]]:
    """Returns class and cells of each row of a table; a cell is the texts of its value and of what stands below."""
    return [(kind.strip(), [_texts(cell) for cell in CELL.findall(row)]) for kind, row in ROW.findall(content)]


def _texts(cell: str) -> list[str]:
    cell = re.sub(r"</?data[^>]*>", "", cell)  # says of a number what it stands for, and is not seen
    return [html.unescape(text) for text in re.split(r"<[^>]*>", cell) if text.strip()]
