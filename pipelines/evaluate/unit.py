"""One unit of an evaluation: a pure function of the model, the held-out episodes, the settings and the seed."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch

from infra.errors import InfraError
from infra.storage import Store, open_store
from infra.version import code_version
from jepa.core.config import digest_of
from jepa.evaluation import EVALUATIONS, Evaluation, EvaluationResult
from jepa.evaluation.evaluation import DivisibleEvaluation
from jepa.models.world_model import WorldModel
from pipelines.device import Device, torch_device
from pipelines.evaluate.shifted_source import Judged, UnitShift, open_judged
from pipelines.store.models.checkpoint_model import read_checkpoint_model
from pipelines.store.models.heads.handle import read_head
from pipelines.store.models.heads.manifest import HeadRef
from pipelines.store.models.manifest import read_model
from pipelines.store.references import DatasetRef, ModelRef
from pipelines.store.reports import Context, UnitManifest, read_unit, unit_key, write_tables
from pipelines.store.reports.problems import read_problems
from pipelines.store.reports.slices import read_mark, write_slice


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
    training_step: int | None = None
    """after which the weights are judged, where they are a checkpoint's; None of a finished model"""
    heads: tuple[HeadRef, ...] = ()
    """of the model, that the evaluation asks for"""
    shift: UnitShift | None = None
    """what is other in the dataset, where it is a shifted one"""
    count: int | None = None
    """items that a divisible evaluation's unit consists of"""
    items: tuple[int, int] | None = None
    """the first of those to do and the one after the last, where it is a slice of the unit; no part of what it is"""
    device: Device = "auto"
    force: bool = False
    """do it even if it is done already"""
    attempt: str = ""
    """under which slices of a forced unit lie apart from those of other evaluations; no part of what it is"""

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
        if self.training_step is not None:
            identity["training_step"] = self.training_step
        if self.shift is not None:
            identity["shift"] = self.shift.identity
        if self.heads:  # units without heads keep the keys that they have always had
            identity["heads"] = {head.kind: head.digest for head in self.heads}
        return unit_key(self.kind, self.part, identity)

    @property
    def name(self) -> str:
        """Returns the key, and for a slice its items, by which logs of units are found."""
        return self.key if self.items is None else "{}.{}-{}".format(self.key, *self.items)

    @property
    def title(self) -> str:
        """Returns what people call it."""
        step = "" if self.training_step is None else f" of step {self.training_step}"
        step += "" if self.shift is None else f" with {self.shift}"
        return f"{self.kind} {self.part}{step}" + ("" if self.items is None else " {}-{}".format(*self.items))

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

    manifest: UnitManifest | None
    """None of a slice, as long as its unit is not committed"""
    plan_seconds: tuple[float, ...] = ()


def evaluate_unit(unit: EvaluationUnit) -> UnitManifest:
    """Evaluates one whole unit and commits its rows; a committed one is only returned, unless it is to be forced."""
    manifest = do_unit(replace(unit, items=None)).manifest
    if manifest is None:
        raise TypeError("a whole unit has a manifest")
    return manifest


def do_unit(unit: EvaluationUnit) -> UnitDone:
    """Evaluates a unit, or a slice of one, and commits its rows, where they are not committed already."""
    store = open_store(unit.store_uri)
    committed = None if unit.force else read_unit(store, unit.key)
    if committed is not None:
        return UnitDone(committed)
    if unit.items is not None:
        return _do_slice(unit, unit.items, store)
    setting = _setting(unit)
    result = setting.evaluation.run(unit.part, setting.model, setting.dataset, unit.seed)
    return UnitDone(commit(unit, result, setting.dataset.world, store), tuple(result.plan_seconds))


def commit(unit: EvaluationUnit, result: EvaluationResult, world: str, store: Store) -> UnitManifest:
    """Commits the rows of a whole unit and returns the manifest that stands."""
    tables = {"metrics": result.metrics, **result.tables}
    return write_tables(store, tables, unit.key, _context(unit, world), replace=unit.force)


def _do_slice(unit: EvaluationUnit, items: tuple[int, int], store: Store) -> UnitDone:
    within = range(*items)
    if read_mark(store, unit.key, within, unit.attempt) is not None:
        return UnitDone(None)
    setting = _setting(unit)
    if not isinstance(setting.evaluation, DivisibleEvaluation):
        raise TypeError(f"evaluation {unit.kind!r} cannot be divided")
    result = setting.evaluation.run_items(unit.part, within, setting.model, setting.dataset, unit.seed)
    context = _context(unit, setting.dataset.world)
    write_slice(store, unit.key, within, result.tables, context, result.seconds, unit.attempt)
    return UnitDone(None, tuple(result.plan_seconds))


def _context(unit: EvaluationUnit, world: str) -> Context:
    return Context.of(
        unit.run,
        unit.model,
        unit.dataset,
        world=world,
        protocol_digest=digest_of(unit.settings),
        evaluation_version=unit.version,
        problems_digest=unit.problems,
        training_step=unit.training_step,
        factor=None if unit.shift is None else unit.shift.factor,
        factor_value=None if unit.shift is None else unit.shift.value,
        heads=tuple(head.name for head in unit.heads),
        code_version=code_version(),
    )


class _Setting(NamedTuple):
    evaluation: Evaluation
    model: WorldModel
    dataset: Judged


def _setting(unit: EvaluationUnit) -> _Setting:
    """Returns what a unit needs, of which nothing is made twice by a worker for the units of one kind."""
    unit.evaluation()  # the code may be another than at the unit before
    common = replace(unit, part="", count=None, items=None, run="", force=False, attempt="")
    return _common_setting(common, torch_device(unit.device))


@lru_cache(maxsize=1)
def _common_setting(unit: EvaluationUnit, device: torch.device) -> _Setting:
    store = open_store(unit.store_uri)
    evaluation = unit.evaluation()
    if unit.problems is not None:
        evaluation.use_problems(read_problems(store, unit.problems))
    model = _model(unit.store_uri, unit.model, unit.training_step, device)
    evaluation.use_heads({head.kind: read_head(store, unit.model, head).to(device) for head in unit.heads})
    return _Setting(evaluation, model, open_judged(store, unit.dataset, unit.shift))


@lru_cache(maxsize=1)
def _model(store_uri: str, reference: ModelRef, training_step: int | None, device: torch.device) -> WorldModel:
    """Returns the model on its device, read once by each worker."""
    store = open_store(store_uri)
    if training_step is not None:
        return read_checkpoint_model(store, reference, training_step).to(device)
    return read_model(store, reference)[1].to(device)
