"""What a study will do, resolved once: the cells of its grid as units of work."""

from dataclasses import dataclass

from infra.storage import Store
from jepa.core.config import digest_of
from jepa.core.errors import InputError
from jepa.studies import STUDIES, Study, cells_of
from jepa.studies.grid import Block, written_out
from jepa.studies.study import study_of_table
from pipelines.store.reports.schema import CONTEXT_COLUMNS, PROVENANCE_COLUMNS
from pipelines.study.config import StudyConfig
from pipelines.study.unit import CellUnit


@dataclass(frozen=True)
class StudyPlan:
    """The cells of a study, and the run that collects them."""

    config: StudyConfig
    study: Study
    run: str
    units: tuple[CellUnit, ...]
    """in the grid's order"""

    def __repr__(self) -> str:
        return f"<plan of study {self.study.name}: {len(self.units)} cells for run {self.run}>"


def plan_study(config: StudyConfig, store: Store) -> StudyPlan:
    """Returns the cells that a configuration asks for.

    Raises:
        InputError: the study, the preset or a field of a cell is not known, or a value does not fit.
    """
    study = STUDIES.get(config.study)()
    _check_columns(study)
    blocks = _blocks(config, study)
    cells = cells_of(study.Cell, blocks)
    run = config.run or _run_name(config, blocks)
    units = [
        CellUnit(store.uri, study.name, study.version, cell.model_dump(mode="json"), run, config.force)
        for cell in cells
    ]
    return StudyPlan(config, study, run, tuple(units))


def _check_columns(study: Study) -> None:
    """Refuses a study whose tables have a column twice, or a name by which they would be found as another study's."""
    for table in (study.own_table(), *study.tables):
        owner = study_of_table(table.name)
        if owner != study.name:
            raise InputError(
                f"table {table.name!r} of study {study.name!r} has the name of a table of "
                f"{'no study' if owner is None else f'study {owner!r}'}; rename it, to begin with 'study_{study.name}_'"
            )
        names = [column.name for column in (*CONTEXT_COLUMNS, *table.columns, *PROVENANCE_COLUMNS)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"study {study.name!r} names a column {twice!r}, which every table has; rename it")


def _blocks(config: StudyConfig, study: Study) -> list[Block]:
    """Returns the grid's blocks with the fields that all cells get."""
    if config.grid is None:
        study.cells(config.preset)  # says which presets there are
        blocks = study.presets[config.preset]
    else:
        blocks = config.grid
    for name in config.fixed:
        if name not in study.Cell.model_fields:
            raise InputError(
                f"cell field {name!r} is not known to study {study.name!r}; "
                f"there are: {', '.join(study.Cell.model_fields)}"
            )
    return [{**block, **config.fixed} for block in blocks]


def _run_name(config: StudyConfig, blocks: list[Block]) -> str:
    """Returns study and preset, with a digest where the grid is not the preset's alone."""
    name = config.study.replace("_", "-")
    if config.named_grid is not None:
        return f"{name}-{config.preset}"
    return f"{name}-{digest_of([written_out(block) for block in blocks])[:8]}"
