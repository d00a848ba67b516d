"""The page's heat map of shifts: a row for each headline figure, a column for each value of each factor.

It is a table whose cells are coloured, so that every number can be read, copied and found by a program.
"""

from collections.abc import Collection, Hashable, Iterator
from typing import Any

import pandas as pd
from markupsafe import Markup

from jepa.evaluation.statistics import LEVEL
from jepa.worlds import WORLDS, shifts_of
from pipelines.reports.page.data import ReportData
from pipelines.reports.page.elements.blocks import Block, PageSection
from pipelines.reports.page.elements.numbers import shown
from pipelines.reports.selection import grouped
from pipelines.reports.shifts import newest_cells, training_contained
from pipelines.reports.summary import declared_figures
from pipelines.reports.words import change_words, figure_words, plain

FAINT = 0.35
"""How strong the colour of a change is at most that is not significant."""
ORIGIN = ["world", "model", "usual_dataset", "protocol", "seed"]
READING = (
    "Each column is the same world with one factor at one value; small: the change against the usual test episodes, in "
    "the first column. Orange is worse, blue better, the deeper the larger the change is within its row, faint without "
    "a star, and the fainter the wider its interval; figures that have no better side have no colour. A star: p below "
    ".05, corrected by Holm for all {cells} comparisons. The oracle plans in the true world: what it loses is the "
    "problem's, what the model loses beyond that is the model's. Figures of how the latents lie also change because a "
    "factor at one value varies no more: of them alone nothing follows."
)
TABLE = Markup(
    '<div class="scroll"><table class="figures shifts"><thead><tr><th></th><th class="figure">usual</th>{}</tr>'
    "<tr><th></th><th></th>{}</tr></thead><tbody>{}</tbody></table></div>"
)
CONTAINED = Markup("<small>training contained this</small>")
ROW = Markup('<tr{}><th scope="row">{}</th><td class="figure">{}</td>{}</tr>')
CELL = Markup('<td class="figure{}" style="--change: {}"{}><b>{}{}</b><small>{}</small></td>')


def shifts(data: ReportData) -> PageSection:
    """Returns a heat map for each model, dataset, protocol and seed of a run; no section without shifts."""
    rows = newest_cells(data.tables["shifts"])
    groups = list(grouped(rows, ORIGIN))
    blocks = []
    for values, own in groups:
        heading = f"{values['model']} · {values['usual_dataset']} · {values['protocol']} · seed {values['seed']}"
        reading = READING.format(cells=" or ".join(map(str, sorted(set(own.cells)))))
        blocks.append(Block(heat_map(own), heading if len(groups) > 1 else "", reading))
    return PageSection("shifts", "Under shifts", "", tuple(blocks))


def heat_map(rows: pd.DataFrame) -> Markup:
    """Returns the rows of the table `shifts` of one origin as a table with coloured cells."""
    columns = list(dict.fromkeys(zip(rows.factor, rows.factor_value, strict=True)))
    factors = list(dict.fromkeys(factor for factor, _ in columns))
    world = str(rows.world.iloc[0])
    heads = [
        Markup('<th class="figure" colspan="{}">{}<small>{}</small></th>').format(
            sum(factor == name for factor, _ in columns), plain(name), _usual(world, name)
        )
        for name in factors
    ]
    values = [
        Markup('<th class="figure">{}{}</th>').format(
            f"{value:g}", CONTAINED if training_contained(world, factor, value) else ""
        )
        for factor, value in columns
    ]
    # In the order in which terminal and tiles show them, which is that of the rows.
    labels = [own for _, own in rows.groupby(["evaluation", "figure", "label"], sort=False)]
    neutral = {figure.name for _, figure in declared_figures() if figure.less_is_better is None}
    body = Markup("").join(line for own in labels for line in _lines(own, columns, neutral))
    return TABLE.format(Markup("").join(heads), Markup("").join(values), body)


def _usual(world: str, name: str) -> str:
    """Returns what a factor's usual value is, nothing where the world is not known here."""
    known = shifts_of(WORLDS.get(world).world_spec) if world in WORLDS else ()
    words = [
        one.description if one.usual is None else f"{one.usual:g} in training" for one in known if one.name == name
    ]
    return "".join(words)


def _lines(own: pd.DataFrame, columns: list[tuple[str, float]], neutral: Collection[str]) -> Iterator[Markup]:
    """Yields the line of one figure, and below it the oracle's, where there is one."""
    cells = {(row["factor"], row["factor_value"]): row for row in own.to_dict("records")}
    first, largest = next(iter(cells.values())), float(own.difference.abs().max())
    percent = bool(first["percent"])
    usual = shown(figure_words(first["usual_value"], percent), first["usual_value"])
    held = Markup("").join(_cell(cells.get(column), largest, first["figure"] not in neutral) for column in columns)
    yield ROW.format("", first["label"], usual, held)
    if own.oracle_value.notna().any():
        oracle = first["oracle_value"] - first["oracle_difference"]
        held = Markup("").join(_oracle(cells.get(column)) for column in columns)
        usual = shown(figure_words(oracle, percent), oracle)
        yield ROW.format(Markup(' class="reference"'), "oracle", usual, held)


def _cell(row: dict[Hashable, Any] | None, largest: float, has_side: bool) -> Markup:
    if row is None:
        return Markup('<td class="figure">–</td>')
    change = float(row["difference"])
    significant = not pd.isna(row["p_holm"]) and row["p_holm"] < LEVEL
    strength = abs(change) / largest if largest else 0.0
    worse = change > 0 if row["less_is_better"] else change < 0
    name = (" worse" if worse else " better") if change and has_side else ""
    value = shown(figure_words(row["value"], row["percent"]), row["value"])
    difference = shown(change_words(change, row["percent"]), change)
    mark, depth = ("*", strength) if significant else ("", strength * FAINT * _evidence(row))
    return CELL.format(name, f"{depth:.2f}", _title(row), value, mark, difference)


def _evidence(row: dict[Hashable, Any]) -> float:
    """Returns how much of its interval's half-width a change is, at most 1; 0 where it has none."""
    if pd.isna(row["difference_low"]) or pd.isna(row["difference_high"]):
        return 0.0
    half = float(row["difference_high"] - row["difference_low"]) / 2
    return min(1.0, abs(float(row["difference"])) / half) if half else 0.0


def _oracle(row: dict[Hashable, Any] | None) -> Markup:
    if row is None or pd.isna(row["oracle_value"]):
        return Markup('<td class="figure">–</td>')
    value = shown(figure_words(row["oracle_value"], row["percent"]), row["oracle_value"])
    change = shown(change_words(row["oracle_difference"], row["percent"]), row["oracle_difference"])
    return CELL.format("", 0, "", value, "", change)


def _title(row: dict[Hashable, Any]) -> Markup:
    """Returns what is shown where the pointer rests: interval, samples, and the test."""
    words = [f"n {row['n']}, usual {row['usual_n']}"]
    if not pd.isna(row["difference_low"]):
        ends = (figure_words(row[f"difference_{end}"], row["percent"]) for end in ("low", "high"))
        words.append(f"change {' to '.join(ends)}")
    if not pd.isna(row["p_holm"]):
        words.append(f"{row['test']} p {row['p']:.2g}, Holm {row['p_holm']:.2g}")
    return Markup(' title="{}"').format("; ".join(words))
