"""What an evaluation will judge, resolved once: the model's weights, the dataset's version, the units of work."""

import logging
from dataclasses import dataclass, replace

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation import EVALUATIONS, Protocol, get_protocol
from jepa.planning.problem_manifest import ProblemManifest
from jepa.worlds import WORLDS, WorldSpec
from jepa.worlds.recordings import simulator_problem
from pipelines.evaluate.config import EvaluateConfig
from pipelines.evaluate.device import torch_device
from pipelines.evaluate.problems import check_fit, given_problems, problems_of
from pipelines.evaluate.unit import EvaluationUnit
from pipelines.store import Dataset, DatasetHandle, open_dataset, resolve_dataset
from pipelines.store.models.manifest import ModelHandle, ModelManifest, resolve_model
from pipelines.store.references import DatasetRef, ModelRef

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
    _check_fit(manifest, dataset)
    if given is not None:
        check_fit(given, dataset)
    if config.executor == "local":
        torch_device(config.device)
    protocol = get_protocol(config.protocol or _default_protocol(dataset))
    reference = dataset.manifest.reference
    kinds = sorted(_possible_kinds(config, dataset), key=lambda kind: kind != "planning")
    units: list[EvaluationUnit] = []
    problems: dict[str, ProblemManifest] = {}
    for kind in kinds:
        evaluation = protocol.evaluation(kind)
        own = problems_of(evaluation, dataset, config.seed, given)
        problems |= {} if own is None else {own.digest: own}
        base = _unit(config, store, model, dataset, protocol, kind, None if own is None else own.digest)
        units += [replace(base, part=part) for part in evaluation.units(dataset)]
    if given is not None and not problems:
        raise InputError(f"problems are given, which none of the kinds {', '.join(kinds)} solves; add planning to them")
    origin = trained_on(store, manifest)
    return EvaluationPlan(config, model, origin, reference, protocol.name, tuple(units), tuple(problems.values()))


def _default_protocol(dataset: Dataset) -> str:
    """Returns the protocol that the dataset's world declares, of a recording of no known world the usual one."""
    if dataset.world in WORLDS:
        return WORLDS.get(dataset.world).world_spec.protocol
    return str(WorldSpec.protocol)


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


def trained_on(store: Store, manifest: ModelManifest) -> DatasetRef | None:
    """Returns the version of the dataset that a model was trained on, None where nothing says which."""
    if manifest.dataset_ref is not None:
        return manifest.dataset_ref
    # Models of earlier code say by its plan which version it was.
    handle = DatasetHandle(store, manifest.dataset)
    newest = handle.manifest()
    for version in range(newest.version if newest is not None else 0, 0, -1):
        held = handle.manifest(version)
        if held is not None and held.plan_digest == manifest.dataset_digest:
            return held.reference
    return None


def _unit(
    config: EvaluateConfig,
    store: Store,
    model: ModelRef,
    dataset: Dataset,
    protocol: Protocol,
    kind: str,
    problems: str | None,
) -> EvaluationUnit:
    """Returns what all units of one kind have in common, with no part yet."""
    return EvaluationUnit(
        store_uri=store.uri,
        model=model,
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


def _check_fit(model: ModelManifest, dataset: Dataset) -> None:
    size, seen = model.recipe.model.image_size, dataset.manifest.image_size[0]
    if dataset.world != model.world or seen != size:
        raise InputError(
            f"model {model.name!r} was trained on {model.world} at {size} pixels and dataset {dataset.name!r} holds "
            f"{dataset.world} at {seen}; choose a dataset of the model's world and size"
        )
    if model.recipe.model.action_size != dataset.action_size:
        raise InputError(
            f"model {model.name!r} takes {model.recipe.model.action_size} values an action and dataset "
            f"{dataset.name!r} has {dataset.action_size}; choose a dataset with the model's actions"
        )
