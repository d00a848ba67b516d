"""One unit of an evaluation: a pure function of the model, the held-out episodes, the settings and the seed."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import torch

from infra.errors import InfraError
from infra.storage import open_store
from infra.version import code_version
from jepa.core.config import digest_of
from jepa.evaluation import EVALUATIONS, Evaluation
from jepa.models.world_model import WorldModel
from pipelines.device import Device, torch_device
from pipelines.store import open_dataset
from pipelines.store.models.heads.handle import read_head
from pipelines.store.models.heads.manifest import HeadRef
from pipelines.store.models.manifest import read_model
from pipelines.store.references import DatasetRef, ModelRef
from pipelines.store.reports import Context, UnitManifest, read_unit, unit_key, write_tables
from pipelines.store.reports.problems import read_problems


@dataclass(frozen=True)
class EvaluationUnit:
    """What a worker gets: everything by content, so that it looks up neither a newest version nor a protocol."""

    store_uri: str
    model: ModelRef
    dataset: DatasetRef
    kind: str
    version: int
    """that the evaluation declares of itself"""
    part: str
    """one of the evaluation's `units()`"""
    protocol: str
    """name of the protocol"""
    settings: dict[str, Any] = field(hash=False)
    """what the protocol says of this kind of evaluation"""
    seed: int
    run: str
    """for which the unit is done; no part of what it is"""
    problems: str | None = None
    """digest of the manifest of planning problems to be solved, where the kind solves any"""
    heads: tuple[HeadRef, ...] = ()
    """of the model, that the evaluation asks for"""
    device: Device = "auto"
    force: bool = False
    """do it even if it is done already"""

    @property
    def key(self) -> str:
        """Returns the name of the unit's report files; everything that its figures depend on is in it."""
        identity: dict[str, Any] = {
            "model": self.model.model_dump(),
            "dataset": self.dataset.model_dump(),
            "kind": self.kind,
            "version": self.version,
            "part": self.part,
            "protocol": self.protocol,
            "settings": self.settings,
            "seed": self.seed,
        }
        if self.problems is not None:
            identity["problems"] = self.problems
        if self.heads:  # units without heads keep the keys that they have always had
            identity["heads"] = {head.kind: head.digest for head in self.heads}
        return unit_key(self.kind, self.part, identity)

    def evaluation(self) -> Evaluation:
        """Returns the evaluation under the unit's settings.

        Raises:
            InfraError: this code's evaluation has another version, so that its figures would not be comparable.
        """
        kind = EVALUATIONS.get(self.kind)
        if kind.version != self.version:
            raise InfraError(
                f"evaluation {self.kind!r} has version {self.version} where it was planned and {kind.version} here; "
                "run the same code on all machines"
            )
        return kind(kind.Config.model_validate(self.settings), self.protocol)


class UnitDone(NamedTuple):
    """What comes back of a unit: what was committed, and what only its metrics show."""

    manifest: UnitManifest
    plan_seconds: tuple[float, ...] = ()


def evaluate_unit(unit: EvaluationUnit) -> UnitManifest:
    """Evaluates one unit and commits its rows; one that is committed is only returned, unless it is to be forced."""
    return do_unit(unit).manifest


def do_unit(unit: EvaluationUnit) -> UnitDone:
    """Does what `evaluate_unit` does, and returns the wall times of the plans beside the manifest."""
    store = open_store(unit.store_uri)
    committed = None if unit.force else read_unit(store, unit.key)
    if committed is not None:
        return UnitDone(committed)
    evaluation = unit.evaluation()
    if unit.problems is not None:
        evaluation.use_problems(read_problems(store, unit.problems))
    device = torch_device(unit.device)
    model = _model(unit.store_uri, unit.model, device)
    evaluation.use_heads({head.kind: read_head(store, unit.model, head).to(device) for head in unit.heads})
    dataset = open_dataset(store, unit.dataset)
    result = evaluation.run(unit.part, model, dataset, unit.seed)
    context = Context.of(
        unit.run,
        unit.model,
        unit.dataset,
        world=dataset.world,
        protocol_digest=digest_of(unit.settings),
        evaluation_version=unit.version,
        problems_digest=unit.problems,
        code_version=code_version(),
    )
    tables = {"metrics": result.metrics, **result.tables}
    manifest = write_tables(store, tables, unit.key, context, replace=unit.force)
    return UnitDone(manifest, tuple(result.plan_seconds))


@lru_cache(maxsize=1)
def _model(store_uri: str, reference: ModelRef, device: torch.device) -> WorldModel:
    """Returns the model on its device, read once by each worker."""
    return read_model(open_store(store_uri), reference)[1].to(device)
