"""How a model's figures change under shifts, for people in a terminal and for programs."""

from typing import Any

import pandas as pd

from flows.cli.table import table_lines
from jepa.evaluation.statistics import LEVEL
from pipelines.reports.shifts import training_contained
from pipelines.reports.words import change_words, figure_words


def shift_lines(rows: pd.DataFrame) -> list[str]:
    """Returns the cells of a command as a table, with a line on how to read it; nothing where there are none."""
    if rows.empty:
        return []
    cells = [_cell(row) for row in rows.to_dict("records")]
    without = [name for name in cells[0] if all(cell[name] == "–" for cell in cells)]
    shown = [{name: text for name, text in cell.items() if name not in without} for cell in cells]
    right = ("value", "usual", "difference", "p", "oracle's difference")
    reading = (
        f"usual: on {', '.join(sorted(set(rows.usual_dataset)))}; p: Holm, over {rows.cells.max()} comparisons, "
        f"* below {LEVEL}; n: samples under the shift, and usual ones"
    )
    known = dict.fromkeys(zip(rows.world, rows.factor, rows.factor_value, strict=True))
    contained = [f"{factor} {value:g}" for world, factor, value in known if training_contained(world, factor, value)]
    notes = [f"no shift, for training contained this: {', '.join(contained)}"] if contained else []
    return [*table_lines(shown, right=right), reading, *notes, ""]


def shift_facts(rows: pd.DataFrame) -> dict[str, Any]:
    """Returns the same for programs: every cell with all of its figures, null where there is none."""
    if rows.empty:
        return {}
    records = rows.to_dict("records")
    return {"shifts": [{name: None if pd.isna(held) else held for name, held in row.items()} for row in records]}


def _cell(row: dict[Any, Any]) -> dict[str, str]:
    percent, oracle = bool(row["percent"]), row["oracle_difference"]
    beyond = not pd.isna(row["p_holm"]) and row["p_holm"] < LEVEL
    return {
        "factor": f"{row['factor']} {row['factor_value']:g}",
        "figure": str(row["label"]),
        "value": f"{figure_words(row['value'], percent)}{_between(row, 'ci', percent)}",
        "usual": figure_words(row["usual_value"], percent),
        "difference": f"{change_words(row['difference'], percent)}{_between(row, 'difference', percent)}",
        "p": "–" if pd.isna(row["p_holm"]) else _probability(row["p_holm"]) + ("*" if beyond else " "),
        "oracle's difference": "–" if pd.isna(oracle) else change_words(oracle, percent),
        "n": f"{row['n']}, {row['usual_n']}",
    }


def _between(row: dict[Any, Any], name: str, percent: bool) -> str:
    ends = [row[f"{name}_{end}"] for end in ("low", "high")]
    if any(map(pd.isna, ends)):
        return ""
    low, high = (figure_words(end, percent).removesuffix(" %") for end in ends)
    return f" ({low} to {high})"


def _probability(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "<0.001"
