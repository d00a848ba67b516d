"""The page's sections of studies: what was found of each claim, and the figures that the study declares."""

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from jepa.evaluation.declarations import Chart
from jepa.studies import STUDIES, Study
from jepa.studies.study import study_of_table
from pipelines.reports.page.data import ReportData
from pipelines.reports.page.drawings import DRAWINGS, Subject
from pipelines.reports.page.elements.blocks import Amounts, Block, PageSection
from pipelines.reports.page.elements.filters import number
from pipelines.reports.selection import select
from pipelines.reports.words import plain

READ_CLAIMS = (
    "A verdict is read off an interval over seeds: held where all of it lies on the claimed side, did not hold where "
    "all of it lies on the other, not decided at this size otherwise, or where the cells that it needs were not run."
)
BADGES = {"held": "held", "did not hold": "failed", "not decided": "open"}
SPREAD = ("seed_bars", "seed_lines")
"""Drawings that show all seeds; others show the first."""


def study_sections(data: ReportData, amounts: Amounts) -> list[PageSection]:
    """Returns two sections for each study of a run: its claims, and its figures."""
    names = {study_of_table(table) for table, rows in data.tables.items() if len(rows)} - {None}
    return [section for name in sorted(map(str, names)) for section in _sections(STUDIES.get(name)(), data, amounts)]


def _sections(study: Study, data: ReportData, amounts: Amounts) -> Iterator[PageSection]:
    claims = data.tables["claims"]
    claims = claims[claims.study == study.name]
    title = f"Claims · {plain(study.name)}"
    counts = ", ".join(f"{count} {verdict}" for verdict in BADGES if (count := int((claims.verdict == verdict).sum())))
    heading = " · ".join(part for part in (study.paper, counts) if part)
    blocks = (Block(_verdicts(claims), heading, READ_CLAIMS),) if len(claims) else ()
    yield PageSection(f"claims-{study.name}", title, "This study was cut off before its claims were judged.", blocks)
    if study.section is not None:
        drawn = tuple(block for chart in study.section.charts for block in _drawn(study, chart, data, amounts))
        yield PageSection(f"study-{study.name}", study.section.title, study.section.missing, drawn)


def _drawn(study: Study, chart: Chart, data: ReportData, amounts: Amounts) -> Iterator[Block]:
    rows = data.tables.get(chart.table)
    if rows is None or rows.empty:
        return
    # Another version of the study is another study: its figures have no place beside these.
    rows = select(rows[rows.evaluation_version == study.version], chart.where, chart.without)
    scope = ""
    if chart.drawing not in SPREAD and "seed" in rows and rows.seed.nunique() > 1:
        rows, scope = rows[rows.seed == rows.seed.min()], f" · seed {rows.seed.min()}"
    if rows.empty:
        return
    for block in DRAWINGS.get(chart.drawing)().draw(Subject(chart, rows, rows.iloc[:0], scope, amounts)):
        yield replace(block, reading=chart.reading) if block.reading is None else block


def _verdicts(claims: pd.DataFrame) -> Markup:
    """Returns the claims as a list: verdict, sentence, what was published and what was found here."""
    items = [_verdict(row) for row in claims.to_dict("records")]
    return Markup('<ol class="claims">{}</ol>').format(Markup("").join(items))


def _verdict(row: dict[Hashable, Any]) -> Markup:
    parts = [] if pd.isna(row["value"]) else [f"decided by {number(row['value'])}"]
    if not pd.isna(row["ci_low"]):
        parts.append(f"95 % interval {number(row['ci_low'])} – {number(row['ci_high'])}")
    parts += [f"n {row['n']}"] if row["n"] else []
    return Markup(
        '<li><span class="verdict-{}">{}</span><div><p class="sentence">{}</p>'
        '<dl><dt>claimed</dt><dd>{}: {}</dd><dt>here</dt><dd>{}</dd></dl><p class="aside">{}</p></div></li>'
    ).format(
        BADGES[row["verdict"]],
        row["verdict"],
        row["sentence"],
        row["source"],
        row["published"],
        row["found"],
        " · ".join(parts),
    )
