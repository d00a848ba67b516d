"""Studies: claims of papers, tested on grids of small jobs."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from jepa.studies.claims import CellRows, Claim, Finding, side_of, undecided
    from jepa.studies.grid import Block, cells_of
    from jepa.studies.running import StudyResult, judge, run_cell, run_study
    from jepa.studies.study import STUDIES, Cell, CellResult, Measure, Study

__all__ = [
    "STUDIES",
    "Block",
    "Cell",
    "CellResult",
    "CellRows",
    "Claim",
    "Finding",
    "Measure",
    "Study",
    "StudyResult",
    "cells_of",
    "judge",
    "run_cell",
    "run_study",
    "side_of",
    "undecided",
]

offer_lazily(__name__)
