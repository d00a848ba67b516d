"""Which cells of a study a page draws: those that the claims were judged on, whatever else the run ever listed."""

from collections.abc import Sequence

import pandas as pd

from infra.storage import Store
from jepa.studies import STUDIES
from jepa.studies.study import study_of_table
from pipelines.store.reports import UnitManifest, run_plans
from pipelines.store.reports.manifest import content_digest


def drawn_cells(store: Store, run: str, units: Sequence[UnitManifest], claims: pd.DataFrame) -> list[UnitManifest]:
    """Returns the units of a run that hold cells which belong together, for each of its studies.

    Args:
        store: where the run is.
        run: its id.
        units: all of its units.
        claims: its rows of the table `claims`.
    """
    by_study: dict[str, list[UnitManifest]] = {}
    for unit in units:
        for name in {study_of_table(part.table) for part in unit.parts} - {None}:
            by_study.setdefault(str(name), []).append(unit)
    plans = run_plans(store, run) if by_study else []
    listed = [set(plan.units) for plan in plans]
    return [unit for name, cells in by_study.items() for unit in _of_study(name, cells, listed, claims)]


def _of_study(
    name: str, cells: Sequence[UnitManifest], listed: Sequence[set[str]], claims: pd.DataFrame
) -> Sequence[UnitManifest]:
    judged = set(claims.cells_digest[claims.study == name])
    for keys in listed:
        own = [unit for unit in cells if unit.key in keys]
        if content_digest(own) in judged:
            return own
    # Cut off before its claims were judged, or cells were done again since. Another version is another study, whose
    # columns may have other types.
    return [unit for unit in cells if unit.evaluation_version == STUDIES.get(name).version]
