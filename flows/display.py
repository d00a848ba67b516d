"""What an evaluation found, for people in a terminal and for programs."""

import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from jepa.studies import Claim, Finding
from pipelines.evaluate import Evaluated
from pipelines.reports.matrices import Matrix, gathered
from pipelines.reports.origins import WORDS, Names, differing
from pipelines.reports.summary import Headline
from pipelines.store.references import SHORT
from pipelines.store.reports import UnitManifest
from pipelines.study import Studied

WIDTH = 130
"""Characters of the table where all figures have one origin."""
UNBOUNDED = 10_000
"""Characters of a line of which nothing is cut off."""
RIGHT = ("value", "n")
WRAPPED = ("beside",)


def metrics_lines(headlines: Sequence[Headline]) -> list[str]:
    """Returns the headline figures as the lines of a table, and of one more for each kind that has many."""
    if not headlines:
        return ["no figures on held-out episodes yet"]
    few, many = gathered(headlines)
    names = Names(headlines)
    shown = differing([names.words(headline) for headline in headlines])
    lines = _list_lines(few)
    for matrix in many:
        words = [names.words(matrix.first)[word] for word in shown]
        lines += [""] * bool(lines) + [
            " · ".join([matrix.title, *(word for word in words if word)]),
            *matrix_lines(matrix),
        ]
    return lines


def matrix_lines(matrix: Matrix) -> list[str]:
    """Returns a table of many figures; one that is too wide for the terminal goes on below, in equal parts."""
    heads = ["\n".join(matrix.words(head)) for head in matrix.heads]
    rows = [(name, [matrix.text(one) for one in cells]) for name, cells in matrix.rows]
    rows += [(name, [matrix.reference_text(value) for value in cells]) for name, cells in matrix.beside]
    first = max(len(name) for name, _ in rows)
    widest = max(len(text) for _, cells in rows for text in cells)
    fit = max(1, (WIDTH - first) // (widest + 2))
    parts = -(-len(heads) // fit)
    across = -(-len(heads) // parts)
    lines: list[str] = []
    for start in range(0, len(heads), across):
        table = Table(box=None, header_style="bold", pad_edge=False)
        for head in (matrix.row_title, *heads[start : start + across]):
            table.add_column(head, no_wrap=True)
        for name, cells in rows:
            table.add_row(name, *cells[start : start + across])
        lines += [""] * bool(lines) + _printed(table, UNBOUNDED)
    return lines


def _list_lines(headlines: Sequence[Headline]) -> list[str]:
    rows = headline_rows(headlines)
    if not rows:
        return []
    # Columns that tell origins apart make the table wider, and none of its figures narrower.
    added = sum(2 + max(len(row[word]) for row in rows) for word in WORDS if word in rows[0])
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in rows[0]:
        table.add_column(column, justify="right" if column in RIGHT else "left", no_wrap=column not in WRAPPED)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    return _printed(table, WIDTH + added)


def _printed(table: Table, width: int) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, no_color=True, markup=False, emoji=False, highlight=False).print(table)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def figure_lines(metrics: pd.DataFrame) -> list[str]:
    """Returns all figures of a table `metrics`, a line for each: of evaluations that declare no headline figure."""
    lines = []
    for row in metrics.to_dict("records"):
        words = [
            row[word] for word in ("split", "evaluation", "metric", "quantity", "goal", "planner", "probe", "shift")
        ]
        name = " ".join(str(word) for word in words if pd.notna(word) and word)
        interval = f" ({row['ci_low']:.4g} – {row['ci_high']:.4g})" if pd.notna(row["ci_low"]) else ""
        lines.append(f"{name}: {row['value']:.4g}{interval}, n {row['n']}")
    return lines


def headline_rows(headlines: Sequence[Headline]) -> list[dict[str, Any]]:
    """Returns the figures as people read them, a dictionary for each row; what is the same for all is left out."""
    names = Names(headlines)
    words = [names.words(headline) for headline in headlines]
    shown = differing(words)
    return [
        {
            **{word: own[word].removeprefix(f"{word} ") for word in shown},
            "split": headline.split,
            "figure": headline.label,
            "value": headline.value_text,
            "95 % interval": headline.interval_text or "–",
            "n": headline.n,
            "beside": headline.beside_text,
        }
        for headline, own in zip(headlines, words, strict=True)
    ]


def evaluation_lines(evaluated: Evaluated) -> list[str]:
    """Returns what was judged on what, and which units stand from before."""
    plan = evaluated.plan
    judged = f"model {plan.model} judged on {plan.dataset} under {plan.protocol}, seed {plan.config.seed}"
    trained_on = plan.trained_on
    if trained_on is not None and trained_on != plan.dataset:
        extended = trained_on.name == plan.dataset.name and trained_on.version < plan.dataset.version
        judged += f"; it was trained on {trained_on}" + (", which has been extended since" if extended else "")
    problems = [
        f"its planning problems on {one.dataset} are {one.digest[:SHORT]}, for `--problems`" for one in plan.problems
    ]
    return [judged, *problems, *earlier_lines(evaluated.earlier, len(evaluated.units), "--force")]


def checkpoint_lines(evaluated: Evaluated) -> list[str]:
    """Returns a sentence on the checkpoints that were judged, whose figures are not among the model's."""
    steps = sorted({unit.training_step for unit in evaluated.plan.units if unit.training_step is not None})
    listed = ", ".join(f"{step:,}" for step in steps)
    return [f"checkpoints after {listed} steps were judged beside; the report draws their figures"] if steps else []


def earlier_lines(earlier: Sequence[UnitManifest], total: int, flag: str) -> list[str]:
    """Returns a sentence on units that were done before, by which code and when; nothing where there are none.

    Args:
        earlier: their manifests.
        total: how many units there are in all.
        flag: what has them done again.
    """
    counts = Counter((unit.code_version, f"{unit.created_at:%-d %B %Y}") for unit in earlier)
    parts = [f"{count} by code {code} on {day}" for (code, day), count in counts.items()]
    if not parts:
        return []
    if len(parts) == 1:
        (code, day), count = next(iter(counts.items()))
        return [f"{count} of {total} units were done by code {code} on {day}; {flag} does them again"]
    return [f"{len(earlier)} of {total} units were done before, {', '.join(parts)}; {flag} does them again"]


def evaluation_facts(evaluated: Evaluated) -> dict[str, Any]:
    """Returns the same for programs."""
    plan = evaluated.plan
    return {
        "run": plan.run,
        "model": plan.model.model_dump(),
        "dataset": plan.dataset.model_dump(),
        "trained_on": plan.trained_on.model_dump() if plan.trained_on is not None else None,
        "protocol": plan.protocol,
        "seed": plan.config.seed,
        "units": unit_facts(evaluated.earlier, len(evaluated.units)),
    }


def unit_facts(earlier: Sequence[UnitManifest], total: int) -> dict[str, Any]:
    """Returns how many units there are, and of those that were done before the key, the code and the time."""
    return {
        "total": total,
        "done_before": [
            {"key": unit.key, "code_version": unit.code_version, "created_at": unit.created_at.isoformat()}
            for unit in earlier
        ],
    }


def finding_rows(findings: Sequence[tuple[Claim, Finding]]) -> list[dict[str, Any]]:
    """Returns the findings of a study as people read them, a dictionary for each row."""
    return [
        {
            "claim": claim.name,
            "says": f"{claim.sentence} ({claim.source})",
            "published": claim.published,
            "found": finding.found,
            "verdict": finding.verdict,
        }
        for claim, finding in findings
    ]


def study_lines(studied: Studied) -> list[str]:
    """Returns the findings of a study, a paragraph for each claim, and which cells stand from before."""
    lines = []
    for claim, finding in studied.findings:
        lines += [f"{finding.verdict.upper():<12} {claim.sentence}", f"{'':<12} {claim.source}: {claim.published}"]
        lines += [f"{'':<12} here: {finding.found}", ""]
    name, cells = studied.plan.study.name, len(studied.units)
    return [*lines, f"study {name}: {cells} cells", *earlier_lines(studied.earlier, cells, "--force")]


def study_facts(studied: Studied) -> dict[str, Any]:
    """Returns the same for programs."""
    return {
        "study": studied.plan.study.name,
        "run": studied.run,
        "claims": [
            {"claim": claim.name, "sentence": claim.sentence, "source": claim.source, "published": claim.published}
            | {"verdict": one.verdict, "found": one.found, "value": one.value}
            | {"ci_low": one.low, "ci_high": one.high, "n": one.n}
            for claim, one in studied.findings
        ],
        "cells": unit_facts(studied.earlier, len(studied.units)),
    }
