"""One cell of a study as a unit of work: its rows are committed once, and found by what the cell is."""

from dataclasses import dataclass, field
from typing import Any

from infra.errors import InfraError
from infra.storage import open_store
from infra.version import code_version
from jepa.core.config import parse_options
from jepa.studies import STUDIES, run_cell
from jepa.studies.study import WORLD
from pipelines.store.reports import Context, UnitManifest, read_unit, unit_key, write_tables


@dataclass(frozen=True)
class CellUnit:
    """What a worker gets."""

    store_uri: str
    study: str
    version: int
    """that the study declares of itself"""
    cell: dict[str, Any] = field(hash=False)
    run: str
    """for which it is done; no part of what it is"""
    force: bool = False
    """do it even if it is done already"""

    @property
    def key(self) -> str:
        """Returns the name of the cell's report files; everything that its figures depend on is in it."""
        identity = {"study": self.study, "version": self.version, "cell": self.cell}
        return unit_key(f"study-{self.study}", str(self.cell["experiment"]), identity)

    @property
    def label(self) -> str:
        """Returns a short name for people: the experiment, and the first digits of the key."""
        return f"{self.cell['experiment']} {self.key.rsplit('-', 1)[1][:8]}"


def do_cell(unit: CellUnit) -> UnitManifest:
    """Runs one cell and commits its rows; one that is committed is only returned, unless it is to be forced.

    Raises:
        InfraError: this code's study has another version, so that its figures would not be comparable.
    """
    store = open_store(unit.store_uri)
    committed = None if unit.force else read_unit(store, unit.key)
    if committed is not None:
        return committed
    study = STUDIES.get(unit.study)()
    if study.version != unit.version:
        raise InfraError(
            f"study {unit.study!r} has version {unit.version} where it was planned and {study.version} here; "
            "run the same code on all machines"
        )
    tables = run_cell(study, parse_options(study.Cell, unit.cell, "cell"))
    context = Context(
        run=unit.run,
        world=str(unit.cell.get(WORLD) or ""),
        evaluation_version=unit.version,
        code_version=code_version(),
    )
    own = study.own_table().name
    tables[own] = [{name: value for name, value in row.items() if name != WORLD} for row in tables[own]]
    return write_tables(store, tables, unit.key, context, replace=unit.force)
