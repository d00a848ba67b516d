"""One unit of an evaluation: a pure function of the model, the held-out episodes, the protocol and the seed."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from infra.storage import open_store
from infra.version import code_version
from jepa.evaluation import EVALUATIONS
from jepa.models.world_model import WorldModel
from pipelines.store import Dataset
from pipelines.store.models.manifest import ModelManifest, read_model
from pipelines.store.reports.tables import Context, UnitManifest, read_unit, write_tables


@dataclass(frozen=True)
class EvaluationUnit:
    """What a worker is told; `part` is one of the evaluation's `units()`."""

    store_uri: str
    model: str
    weights_sha256: str
    dataset: str
    protocol: str
    """name of the protocol; its file need not be where the worker is"""
    settings: dict[str, Any] = field(hash=False)
    """what the protocol says of this kind of evaluation"""
    kind: str
    part: str
    seed: int
    run: str

    @property
    def key(self) -> str:
        """Returns the name of the unit's report files; everything that its figures depend on is in it."""
        part = self.part.replace("/", "=")
        identity = f"{self.model}-{self.weights_sha256[:8]}-{self.dataset}"
        return f"{self.run}-{identity}-{self.protocol}-s{self.seed}-{self.kind}-{part}"


def evaluate_unit(unit: EvaluationUnit) -> UnitManifest:
    """Evaluates one unit and commits its rows; one that is committed is only returned."""
    store = open_store(unit.store_uri)
    if committed := read_unit(store, unit.key):
        return committed
    manifest, model = _model(unit.store_uri, unit.model, unit.weights_sha256)
    dataset = Dataset(store, unit.dataset)
    kind = EVALUATIONS.get(unit.kind)
    evaluation = kind(kind.Config.model_validate(unit.settings), unit.protocol)
    result = evaluation.run(unit.part, model, dataset, unit.seed)
    context = Context(
        run=unit.run, model=manifest.name, dataset=unit.dataset, world=dataset.world, code_version=code_version()
    )
    return write_tables(store, {"metrics": result.metrics, **result.tables}, unit.key, context)


@lru_cache(maxsize=1)
def _model(store_uri: str, name: str, weights_sha256: str) -> tuple[ModelManifest, WorldModel]:
    """Returns the model, read once by each worker; the digest tells apart two models that had one name in turn."""
    return read_model(open_store(store_uri), name)
