"""Figures as the cells of a page's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.reports.words import digits, seconds_words

NONE = "–"
Rows = Sequence[Sequence[object]]


@dataclass(frozen=True)
class Shown:
    """A part of a page: its Markdown, and the names of the kept figures that it shows."""

    text: str
    names: frozenset[str] = frozenset()

    def __add__(self, other: "Shown") -> "Shown":
        """Returns both, one below the other."""
        return Shown("\n\n".join(part for part in (self.text, other.text) if part), self.names | other.names)


def table(head: Sequence[str], rows: Rows) -> str:
    """Returns a table in Markdown; the first column holds words, the others figures."""
    lines = [list(head), ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def words_table(head: Sequence[str], rows: Rows) -> str:
    """Returns a table in Markdown whose columns hold words."""
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |"
        for line in [list(head), ["---"] * len(head), *rows]
    )


def number(value: float | None, percent: bool = False) -> str:
    """Returns a figure, or a share in per cent without the sign, whole where it is; a dash for none."""
    if value is None:
        return NONE
    if not percent:
        return digits(float(value))
    text = f"{100 * float(value):.1f}"
    return text.removesuffix(".0").replace("-", "−")


def seconds(value: float | None) -> str:
    """Returns seconds with two digits that count, from a tenth of a millisecond on."""
    if value is None:
        return NONE
    return seconds_words(float(value)) if value >= 1e-4 else "< 0.0001"


def with_interval(value: float | None, low: float | None, high: float | None, percent: bool = False) -> str:
    """Returns a figure with the ends of its interval, where there are any."""
    if value is None or low is None or high is None:
        return number(value, percent)
    return f"{number(value, percent)} ({number(low, percent)} – {number(high, percent)})"


def of_seed(figure: Mapping[str, Any] | None, seed: str, percent: bool = False) -> str:
    """Returns a figure of one training."""
    found = figure["seeds"].get(seed) if figure else None
    return NONE if found is None else with_interval(found[0], found[1], found[2], percent)


def of_mean(figure: Mapping[str, Any] | None, percent: bool = False) -> str:
    """Returns the mean over trainings with its interval."""
    return NONE if figure is None else with_interval(figure["mean"], figure["low"], figure["high"], percent)


def sizes(rows: Sequence[Mapping[str, Any]], figure: str) -> str:
    """Returns how many samples are behind a figure, or from how few to how many."""
    found = {one[3] for row in rows if figure in row for one in row[figure]["seeds"].values() if one is not None}
    return NONE if not found else f"{min(found)}" if len(found) == 1 else f"{min(found)} to {max(found)}"
