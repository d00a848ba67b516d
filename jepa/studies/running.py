"""Runs a study in this process, with no store and no cluster: the same cells, figures and verdicts as the job's."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from jepa.studies.claims import CellRows, Claim, Finding, undecided
from jepa.studies.grid import Block, cells_of
from jepa.studies.study import STUDIES, Cell, Study

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyResult:
    """The rows of a study by table, and what was found of each of its claims."""

    study: str
    tables: dict[str, list[dict[str, Any]]]
    findings: tuple[tuple[Claim, Finding], ...]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The measures of all cells; `pandas.DataFrame(result.rows)` makes a table of them."""
        return self.tables[f"study_{self.study}"]

    def __repr__(self) -> str:
        lines = [f"<study {self.study}: {len(self.rows)} measures"]
        lines += [f"  {finding.verdict}: {claim.sentence} ({finding.found})" for claim, finding in self.findings]
        return "\n".join(lines) + ">"


def run_study(
    name: str,
    preset: str = "tiny",
    grid: Sequence[Block] | None = None,
    on_cell: Callable[[Cell, int, int], None] | None = None,
) -> StudyResult:
    """Runs all cells of a study one after the other.

    Args:
        name: registered name of the study.
        preset: grid by name.
        grid: blocks of one's own, in the place of the preset's.
        on_cell: called after each cell with the cell, how many are done, and of how many.

    Raises:
        InputError: there is no such study or preset, or the grid does not fit.
    """
    study = STUDIES.get(name)()
    cells = study.cells(preset) if grid is None else cells_of(study.Cell, grid)
    tables: dict[str, list[dict[str, Any]]] = {table.name: [] for table in (study.own_table(), *study.tables)}
    for done, cell in enumerate(cells, 1):
        for table, rows in run_cell(study, cell).items():
            tables[table] += rows
        if on_cell is not None:
            on_cell(cell, done, len(cells))
    return StudyResult(name, tables, judge(study, tables[study.own_table().name]))


def run_cell(study: Study, cell: Cell) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of one cell by table; how many cores there are plays no part in them."""
    started = time.perf_counter()
    with one_thread():
        result = study.run(cell)
    return study.rows(cell, result, time.perf_counter() - started)


def judge(study: Study, rows: Sequence[dict[str, Any]]) -> tuple[tuple[Claim, Finding], ...]:
    """Returns the finding of each of the study's claims; the order of the rows plays no part.

    A claim whose judge raises is not decided, and costs no other claim its verdict.
    """
    table = CellRows(sorted(rows, key=lambda row: [str(row.get(column.name)) for column in study.own_table().columns]))
    return tuple((claim, _finding(study, claim, table)) for claim in study.claims)


def _finding(study: Study, claim: Claim, table: CellRows) -> Finding:
    try:
        return claim.judge(table)
    except Exception as error:
        problem = f"its judge failed: {type(error).__name__}: {error}"
        log.warning("claim %s of study %s is not decided: %s", claim.name, study.name, problem)
        log.debug("where the judge of claim %s failed", claim.name, exc_info=error)
        return undecided(problem)


@contextmanager
def one_thread() -> Iterator[None]:
    """Has torch add up in one thread, in whose order alone sums come out the same on every machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
