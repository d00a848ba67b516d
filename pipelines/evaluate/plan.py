"""What an evaluation will judge, resolved once: the model's weights, the dataset's version, the units of work."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation import EVALUATIONS, Protocol, get_protocol
from jepa.evaluation.evaluation import DivisibleEvaluation
from jepa.evaluation.kinds.planning.given import check_pairs
from jepa.planning.problem_manifest import ProblemManifest
from jepa.worlds import WORLDS, WorldSpec
from jepa.worlds.recordings import simulator_problem
from pipelines.device import torch_device
from pipelines.evaluate.config import EvaluateConfig
from pipelines.evaluate.grid import grid_values, with_grid
from pipelines.evaluate.heads import check_named, heads_for
from pipelines.evaluate.problems import check_problems, check_states, given_problems, problems_of
from pipelines.evaluate.shift import shifted_datasets
from pipelines.evaluate.shifted_source import Judged, UnitShift
from pipelines.evaluate.unit import EvaluationUnit
from pipelines.store import Dataset, open_dataset, resolve_dataset
from pipelines.store.models.checkpoint_model import checkpoint_reference, checkpoint_steps
from pipelines.store.models.manifest import ModelHandle, resolve_model
from pipelines.store.models.origin import check_fit, trained_on
from pipelines.store.references import DatasetRef, ModelRef
from pipelines.store.reports.problems import is_problems_file

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluationPlan:
    """The units of an evaluation and what they have in common."""

    config: EvaluateConfig
    model: ModelRef
    trained_on: DatasetRef | None
    """None where the store no longer tells"""
    dataset: DatasetRef
    protocol: str
    units: tuple[EvaluationUnit, ...]
    problems: tuple[ProblemManifest, ...] = ()
    """manifests of the planning problems that units solve"""

    @property
    def run(self) -> str:
        """The run that lists the units."""
        return self.config.run_name

    def __repr__(self) -> str:
        return f"<plan to evaluate {self.model} on {self.dataset}: {len(self.units)} units under {self.protocol}>"


def plan_evaluation(config: EvaluateConfig, store: Store) -> EvaluationPlan:
    """Returns all units of an evaluation, the longest kinds first, so that no worker is left with one at the end.

    Raises:
        InputError: the model or the dataset is missing, or the two do not fit together.
    """
    model = resolve_model(store, config.model)
    manifest = ModelHandle(store, model.name).require(model.digest)
    given = given_problems(config, store)
    drawn_from = given.dataset if given is not None else ""
    dataset = open_dataset(store, resolve_dataset(store, config.dataset or drawn_from or manifest.dataset))
    check_fit(manifest, dataset)
    if given is not None:
        check_problems(given, dataset)
        if is_problems_file(str(config.problems)):
            check_states(given, dataset)
        check_pairs(given, dataset)
    if config.executor == "local":
        torch_device(config.device)
    protocol = protocol_of(config, dataset.world)
    check_named(config, store, model)
    reference = dataset.manifest.reference
    kinds = sorted(_possible_kinds(config, dataset), key=lambda kind: kind != "planning")
    draft = _Draft(config, store, model, protocol, given)
    draft.add(dataset, kinds)
    for shifted in shifted_datasets(config, store, dataset):
        draft.add(shifted.source(store, dataset), kinds, shifted.shift)
    units, problems = draft.units, draft.problems
    units += _of_checkpoints(config, store, model, units)
    if given is not None and not problems:
        raise InputError(f"problems are given, which none of the kinds {', '.join(kinds)} solves; add planning to them")
    origin = trained_on(store, manifest)
    return EvaluationPlan(config, model, origin, reference, protocol.name, tuple(units), tuple(problems.values()))


@dataclass
class _Draft:
    """Units that are planned, dataset by dataset, and the problems that they solve."""

    config: EvaluateConfig
    store: Store
    model: ModelRef
    protocol: Protocol
    given: ProblemManifest | None
    units: list[EvaluationUnit] = field(default_factory=list)
    problems: dict[str, ProblemManifest] = field(default_factory=dict)

    def add(self, dataset: Judged, kinds: Sequence[str], shift: UnitShift | None = None) -> None:
        """Adds the units of these kinds of evaluation on a dataset.

        Raises:
            InputError: the dataset has nothing that one of them could judge, or the model lacks heads.
        """
        config, seed = self.config, self.config.seed
        for kind in kinds:
            evaluation = self.protocol.evaluation(kind)
            heads = heads_for(config, self.store, self.model, evaluation.needs_heads())
            own = problems_of(evaluation, dataset, seed, self.given)
            self.problems |= {} if own is None else {own.digest: own}
            base = _unit(self, dataset, kind, None if own is None else own.digest)
            for part in evaluation.units(dataset):
                count = evaluation.items(part, dataset, seed) if isinstance(evaluation, DivisibleEvaluation) else None
                self.units.append(replace(base, part=part, heads=heads, count=count, shift=shift))


def _of_checkpoints(
    config: EvaluateConfig, store: Store, model: ModelRef, units: list[EvaluationUnit]
) -> list[EvaluationUnit]:
    """Returns the units of the checkpoints that are asked for; one with the model's own weights needs none.

    Raises:
        InputError: one is not there, or planners ask for heads, which are fitted on a finished model's latents.
    """
    if not config.checkpoints:
        return []
    steps = checkpoint_steps(store, model.name, config.checkpoints)
    if heads := sorted({head.kind for unit in units for head in unit.heads}):
        raise InputError(
            f"checkpoints are asked for and planners of the protocol ask for heads ({', '.join(heads)}), which are "
            "fitted on a finished model's latents; choose a protocol whose planners need none"
        )
    found = [(step, checkpoint_reference(store, model.name, step)) for step in steps]
    return [
        replace(unit, model=reference, training_step=step)
        for step, reference in found
        if reference != model
        for unit in units
    ]


def protocol_of(config: EvaluateConfig, world: str) -> Protocol:
    """Returns the protocol of an evaluation, by default that which the world declares, with the variants of its grid.

    Raises:
        InputError: there is no such protocol, or the grid does not fit its planners.
    """
    # A recording of no known world has the usual one.
    declared = WORLDS.get(world).world_spec.protocol if world in WORLDS else str(WorldSpec.protocol)
    protocol = get_protocol(config.protocol or declared)
    if config.grid:
        protocol = with_grid(protocol, {name: grid_values(values) for name, values in config.grid.items()})
    return protocol


def _possible_kinds(config: EvaluateConfig, dataset: Dataset) -> tuple[str, ...]:
    """Returns the kinds to carry out: where none was asked for by name, those that the recording allows."""
    problem = simulator_problem(dataset)
    left_out = [kind for kind in config.kinds if EVALUATIONS.get(kind).needs_simulator]
    if "probing" in config.kinds and not dataset.quantities:
        left_out.append("probing")
        problem = problem or "it holds no quantity"
    if problem is None or not left_out or "kinds" in config.model_fields_set:
        return config.kinds
    log.warning("dataset %r: %s left out, for %s", dataset.name, " and ".join(left_out), problem)
    return tuple(kind for kind in config.kinds if kind not in left_out)


def _unit(draft: _Draft, dataset: Judged, kind: str, problems: str | None) -> EvaluationUnit:
    """Returns what all units of one kind have in common, with no part yet."""
    config, protocol = draft.config, draft.protocol
    return EvaluationUnit(
        store_uri=draft.store.uri,
        model=draft.model,
        dataset=dataset.manifest.reference,
        kind=kind,
        version=EVALUATIONS.get(kind).version,
        part="",
        protocol=protocol.name,
        settings=protocol.settings(kind).model_dump(mode="json"),
        seed=config.seed,
        run=config.run_name,
        problems=problems,
        device=config.device,
        force=config.force,
    )
