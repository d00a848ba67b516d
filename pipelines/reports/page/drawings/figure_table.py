"""A table of many figures: a row for each planner, say, a column for each figure, intervals below the values."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from pipelines.reports.page.drawings.drawing import DRAWINGS, Drawing, Subject
from pipelines.reports.page.elements.blocks import Block
from pipelines.reports.page.elements.numbers import shown
from pipelines.reports.selection import grouped, reading_order
from pipelines.reports.words import figure_words, plain, seconds_words, value_words

TABLE = Markup(
    '<div class="scroll"><table class="figures"><thead><tr><th>{}</th>{}<th class="figure">n</th></tr></thead>{}'
    "</table></div>"
)
GROUP = Markup('<tbody><tr class="group"><th scope="rowgroup" colspan="{}"><span>{}</span></th></tr>{}</tbody>')
ROW = Markup('<tr{}><th scope="row">{}</th>{}<td class="figure">{}</td></tr>')
CELL = Markup('<td class="figure"><b>{}</b>{}</td>')
AFTER = {"split": " episodes", "goal": " goals"}
"""What is said after a column's value."""
Line = tuple[dict[str, Any], pd.DataFrame]
"""What names a line of the table, and its rows of `metrics`."""


@DRAWINGS.register("figure_table")
class FigureTable(Drawing):
    """A table of `metrics` rows in which each figure, a combination of the values of `columns`, has its column.

    Options:

    - `rows`: columns that name the rows, by default `planner`; `groups`: those with a heading for each combination.
    - `columns`: those that name a figure, by default `metric` and `quantity`.
    - `figures`: titles by figure (the values of `columns`, with a space between) in their order; what is not among them
      comes after, titled by its own words, so that a figure of tomorrow is not left out.
    - `percent`: figures that are shares; `sort`: figures by which rows are sorted, the best first, with a `-` before
      one of which more is better; `references`: names of rows that stand below the others.
    - `marks`: columns of truth values that are named beside a row in which they are true.
    """

    tells_apart = ("split",)

    def draw(self, subject: Subject) -> Iterator[Block]:
        rows = with_figures(subject.measured("value").rows, subject.option("columns", ("metric", "quantity")))
        if len(rows):
            yield Block(_Table(subject, rows).html(), subject.heading)


def with_figures(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Returns the rows with the figure that each is of in a column `figure`, e.g. `regret success`."""
    words = [[_word(name, value) for value in rows[name]] for name in columns if name in rows]
    return rows.assign(figure=[" ".join(part for part in parts if part) for parts in zip(*words, strict=True)])


def _word(column: str, value: Any) -> str:
    return "" if pd.isna(value) else value if isinstance(value, str) else value_words(column, value)


@dataclass(frozen=True)
class _Table:
    subject: Subject
    rows: pd.DataFrame

    def html(self) -> Markup:
        """Returns the table."""
        head = Markup("").join(self._head(figure, title) for figure, title in self.titles.items())
        groups = grouped(self.rows, self.subject.option("groups", ()))
        bodies = Markup("").join(self._body(values, self._lines(own)) for values, own in groups)
        return TABLE.format(", ".join(map(plain, self.named)), head, bodies)

    @cached_property
    def named(self) -> list[str]:
        """Returns the columns that name a row."""
        return [column for column in self.subject.option("rows", ("planner",)) if column in self.rows]

    @cached_property
    def references(self) -> list[str]:
        """Returns the names of rows that stand below the others, in their order."""
        return list(self.subject.option("references", ()))

    @cached_property
    def titles(self) -> dict[str, str]:
        """Returns the title of each figure that there is."""
        known: Mapping[str, str] = self.subject.option("figures", {})
        held = set(self.rows.figure)
        others = sorted(held - set(known), key=reading_order)
        return {name: title for name, title in known.items() if name in held} | {name: plain(name) for name in others}

    def _lines(self, rows: pd.DataFrame) -> list[Line]:
        """Returns the lines of a group, the best first, references last; what is alike stays in reading order."""

        def place(line: Line) -> tuple[bool, list[float]]:
            beside = [float(self.references.index(name)) for name in line[0].values() if name in self.references]
            return bool(beside), beside or [_rank(line[1], figure) for figure in self.subject.option("sort", ())]

        return sorted(grouped(rows, self.named), key=place)

    def _is_reference(self, line: Line) -> bool:
        return any(name in self.references for name in line[0].values())

    def _marks(self, line: Line) -> list[str]:
        """Returns the words beside a line's name; the name of a reference says what it is."""
        held = [column for column in self.subject.option("marks", ()) if column in line[1]]
        return [plain(column) for column in held if not self._is_reference(line) and line[1][column].eq(True).any()]

    def _head(self, figure: str, title: str) -> Markup:
        # A title may say its unit itself: seconds a decision, steps to goal.
        said = {"", "1", *title.split(), *(("s",) if "seconds" in title else ())}
        units = sorted(set(self.rows.unit[self.rows.figure == figure]) - said)
        below = Markup("<small>{}</small>").format(", ".join(units)) if units else ""
        return Markup('<th class="figure">{}{}</th>').format(title, below)

    def _body(self, values: Mapping[str, Any], lines: Sequence[Line]) -> Markup:
        body = Markup("").join(self._row(line) for line in lines)
        held = [column for column, value in values.items() if value is not None and self._is_said(column)]
        heading = ", ".join(value_words(column, values[column]) + AFTER.get(column, "") for column in held)
        bare = Markup("<tbody>{}</tbody>").format(body)
        return GROUP.format(2 + len(self.titles), heading, body) if heading else bare

    def _is_said(self, column: str) -> bool:
        return column != "split" or self.rows.split.nunique() > 1

    def _row(self, line: Line) -> Markup:
        names, own = line
        name = ", ".join(value_words(column, value) + AFTER.get(column, "") for column, value in names.items())
        # Most figures of a line are of the same samples; those that are of others say so.
        n = int(own.n.mode().max())
        cells = Markup("").join(self._cell(own[own.figure == figure], figure, n) for figure in self.titles)
        opening = Markup(' class="reference"') if self._is_reference(line) else ""
        marks = self._marks(line)
        return ROW.format(opening, f"{name} ({', '.join(marks)})" if marks else name, cells, shown(str(n), n))

    def _cell(self, rows: pd.DataFrame, figure: str, n: int) -> Markup:
        if rows.empty:
            return Markup('<td class="figure">–</td>')
        value, low, high = (float(rows[name].mean(skipna=False)) for name in ("value", "ci_low", "ci_high"))
        percent = figure in self.subject.option("percent", ())
        text = figure_text(value, rows.unit.iloc[0], percent)
        texts = [figure_text(end, rows.unit.iloc[0], percent).removesuffix(" %") for end in (low, high)]
        ends = [shown(text, end, percent=percent) for text, end in zip(texts, (low, high), strict=True)]
        asides = [Markup(" to " if low < 0 else " – ").join(ends)] * bool(np.isfinite([low, high]).all())
        asides += [Markup("n {}").format(shown(str(rows.n.max()), rows.n.max()))] * bool(rows.n.max() != n)
        aside = Markup("<small>{}</small>").format(Markup(", ").join(asides)) if asides else ""
        return CELL.format(shown(text, value, rows=rows.index, percent=percent), aside)


def figure_text(value: float, unit: Hashable, percent: bool) -> str:
    """Returns a figure as the table shows it: a share in per cent, seconds with the digits that tell them apart."""
    return seconds_words(value) if unit == "s" and not percent else figure_words(value, percent)


def _rank(rows: pd.DataFrame, figure: str) -> float:
    """Returns what the better of two lines has less of; a line without the figure comes last."""
    own = rows[rows.figure == figure.removeprefix("-")]
    return float("inf") if own.empty else (-1 if figure.startswith("-") else 1) * float(own.value.mean())
