"""Everything that one report shows, read from the store once."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from infra.storage import Store
from jepa.evaluation import EVALUATIONS
from jepa.studies.study import study_of_table
from pipelines.reports.origins import Names, Origin, by_origin
from pipelines.reports.page.cells import drawn_cells
from pipelines.reports.summary import Headline, headlines
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.references import NAME, DatasetRef
from pipelines.store.reports import UnitManifest, committed_units, read_table, require_run
from pipelines.store.reports.schema import tables as report_tables
from pipelines.store.reports.schema import tables_of_study
from pipelines.store.reports.tables import ReportFileGoneError

log = logging.getLogger(__name__)

DETAILS = ["goal", "offset", "success_kind", "planner", "probe", "latents", "frames", "blocks_ahead", "quantity"]
DETAILS += ["shift", "strength", "score"]
LINEAGE = ["model_digest", "dataset", "dataset_version", "dataset_digest", "protocol_digest", "evaluation_version"]
REREADS = 3
"""How often a run is read again when a unit of it was done again meanwhile, and its earlier files are gone."""
METRICS_ORDER = ["model", "evaluation", "split", "protocol", *DETAILS, "metric", "seed"]
"""Columns that tell the rows of `metrics` apart, in reading order."""


@dataclass(frozen=True)
class ReportData:
    """The rows of a run by table, and what was made of them."""

    run: str
    tables: Mapping[str, pd.DataFrame]
    units: list[UnitManifest]
    headlines: list[Headline]
    checkpoints: pd.DataFrame = field(default_factory=pd.DataFrame)
    """rows of `metrics` of the run's checkpoints, by `training_step`: no figures of a model, and in no other table"""

    def names(self, field: str) -> list[str]:
        """Returns the distinct values of a field of the run's units: `model_text`, `dataset`, `world` …"""
        return sorted({str(getattr(unit, field)) for unit in self.units} - {""})

    @property
    def metrics(self) -> pd.DataFrame:
        """The `metrics` rows in reading order."""
        return self.tables["metrics"]

    @property
    def datasets(self) -> list[DatasetRef | str]:
        """The versions of datasets that were judged, by name alone where older code kept no version."""
        found: dict[str, DatasetRef | str] = {}
        for unit in sorted(self.units, key=lambda unit: (unit.dataset, unit.dataset_version or 0)):
            found.setdefault(unit.dataset_text, unit.dataset_reference or unit.dataset)
        return [reference for text, reference in found.items() if text]

    @property
    def studied(self) -> bool:
        """Returns whether the run holds cells of a study."""
        return any(study_of_table(table) for table, rows in self.tables.items() if len(rows))

    @cached_property
    def words(self) -> Names:
        """The words that tell all rows of the run apart."""
        return Names(self._origins())

    def _origins(self) -> Iterator[Origin]:
        yield from (origin for origin, _ in by_origin(self.metrics))
        yield from (origin for origin, _ in by_origin(self.tables["training"], "training"))
        for kind in EVALUATIONS:
            for table in EVALUATIONS.get(kind).tables:
                yield from (origin for origin, _ in by_origin(self.tables[table.name], kind))


def read_run(store: Store, run: str) -> ReportData:
    """Returns all committed rows of a run, and the training curves of the models that it judged.

    Raises:
        InputError: the store holds none; the message names the runs that it holds.
        InfraError: a file is lost or damaged.
    """
    for _ in range(REREADS):
        try:
            return _read_run(store, run)
        except ReportFileGoneError as error:
            log.info("%s; the run is read again", error)
    return _read_run(store, run)


def _read_run(store: Store, run: str) -> ReportData:
    every = committed_units(store)
    listed = require_run(store, run, every)
    # Cards, strips and figures are of the usual world; what happens in shifted ones has a table of its own.
    units = [unit for unit in listed if unit.training_step is None and unit.factor is None]
    tables = {table: read_table(store, table, units=units).compute() for table in report_tables()}
    tables["shifts"] = read_table(store, "shifts", units=listed).compute()
    cells = drawn_cells(store, run, units, tables["claims"])
    held = {part.table for unit in cells for part in unit.parts if part.table in tables_of_study(part.table)}
    tables |= {table: read_table(store, table, units=cells).compute() for table in sorted(held)}
    tables["training"] = read_table(store, "training", units=_trainings(store, every, units)).compute()
    tables["metrics"] = tables["metrics"].sort_values([*METRICS_ORDER, *LINEAGE], ignore_index=True)
    judged = [unit for unit in listed if unit.training_step is not None]
    checkpoints = read_table(store, "metrics", units=judged, checkpoints=True).compute()
    return ReportData(run, tables, units or listed, headlines(tables["metrics"]), checkpoints)


def _trainings(store: Store, every: list[UnitManifest], units: list[UnitManifest]) -> list[UnitManifest]:
    """Returns the units of a run that hold a training, and those of its models, which may have been trained before."""
    digests: dict[str, set[str | None]] = {}
    for model, digest in {(unit.model, unit.model_digest) for unit in units if unit.model}:
        digests.setdefault(model, set()).update(_continued(store, model, digest))
    own = {unit.key for unit in units}
    # Older code wrote no digests: such a training counts for every model of its name, such a model for every training.
    return [
        unit
        for unit in every
        if unit.key in own
        or (unit.model in digests and ({unit.model_digest, None} & digests[unit.model] or unit.model_digest is None))
    ]


def _continued(store: Store, model: str, digest: str | None) -> Iterator[str | None]:
    """Yields the digest of weights, then those of the weights from which their training went on."""
    yield digest
    while digest is not None and NAME.fullmatch(model):
        manifest = ModelHandle(store, model).manifest(digest)
        digest = manifest.continued_from.digest if manifest is not None and manifest.continued_from else None
        if digest is not None:
            yield digest
