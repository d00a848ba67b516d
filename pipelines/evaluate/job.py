"""The evaluation job: every unit that is not done yet, in any order, by any number of workers."""

from infra.progress import Progress
from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation import get_protocol
from jepa.worlds import WORLDS
from pipelines.evaluate.config import EvaluateConfig
from pipelines.evaluate.unit import EvaluationUnit, evaluate_unit
from pipelines.executor import JobLog, run_units
from pipelines.store import Dataset
from pipelines.store.logs import LogFolder
from pipelines.store.models.manifest import read_model
from pipelines.store.reports.tables import UnitManifest, read_unit


def evaluate(config: EvaluateConfig, store: Store, progress: Progress | None = None) -> list[UnitManifest]:
    """Judges a model and returns the manifests of all units; those that are committed already are not done again.

    Raises:
        InputError: a wrong input, found before any work starts.
        InfraError: the store or the cluster failed for good.
    """
    units = plan_units(config, store)
    missing = [unit for unit in units if read_unit(store, unit.key) is None]
    if missing:
        with (
            JobLog(LogFolder(store, "evaluate", config.run or config.model), config, lambda unit: unit.key) as log,
            (progress or Progress()).with_sink(log).phase(f"evaluate {config.model}", len(units), "units") as phase,
        ):
            phase.advance(len(units) - len(missing))
            run_units(
                evaluate_unit,
                missing,
                executor=config.executor,
                workers=config.workers,
                on_result=lambda unit, manifest: phase.advance(),
                name=lambda unit: f"{unit.kind} {unit.part}",
                log=log,
            )
    manifests = [read_unit(store, unit.key) for unit in units]
    return [manifest for manifest in manifests if manifest is not None]


def plan_units(config: EvaluateConfig, store: Store) -> list[EvaluationUnit]:
    """Returns all units of an evaluation, the longest kinds first, so that no worker is left with one at the end.

    Raises:
        InputError: the model or the dataset is missing, or the two do not fit together.
    """
    manifest, model = read_model(store, config.model)
    dataset = Dataset(store, config.dataset or manifest.dataset)
    size = model.config.image_size
    if dataset.world != manifest.world or dataset.manifest.image_size[0] != size:
        raise InputError(
            f"model {config.model!r} was trained on {manifest.world} at {size} pixels and dataset "
            f"{dataset.name!r} holds {dataset.world} at {dataset.manifest.image_size[0]}; "
            "choose a dataset of the model's world and size"
        )
    protocol = get_protocol(config.protocol or WORLDS.get(dataset.world).world_spec.protocol)
    kinds = sorted(config.kinds, key=lambda kind: kind != "planning")
    return [
        EvaluationUnit(
            store_uri=store.uri,
            model=config.model,
            weights_sha256=manifest.weights_sha256,
            dataset=dataset.name,
            protocol=protocol.name,
            settings=protocol.settings(kind).model_dump(mode="json"),
            kind=kind,
            part=part,
            seed=config.seed,
            run=config.run or config.model,
        )
        for kind in kinds
        for part in protocol.evaluation(kind).units(dataset)
    ]
