"""What is fixed and checked before a training starts: the versions that it is made from, and that its parts fit."""

import torch

from infra.settings import RaySettings
from infra.storage import Store
from jepa.core.errors import InputError
from jepa.models.sizes import check_bytes, meta_model
from jepa.objectives import make_objective
from jepa.training.recipes import Recipe
from pipelines.pretrain.assembly import initial_weights, make_loader, resolve_recipe
from pipelines.pretrain.config import PretrainConfig
from pipelines.pretrain.records.trackers import check_trackers
from pipelines.pretrain.request import check_same_origin, differing_fields, find_trained
from pipelines.pretrain.task import TrainingTask
from pipelines.store import Dataset, DatasetGoneError, DatasetHandle, open_dataset, resolve_dataset
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.claim import Claim, check_not_held, newest_claim
from pipelines.store.models.manifest import ModelHandle, resolve_model
from pipelines.store.models.origin import Origin
from pipelines.store.references import DatasetRef, split_dataset


def check_training(config: PretrainConfig, store: Store) -> None:
    """Passes where a training can be started, or is done; nothing is written.

    Raises:
        InputError: dataset, recipe, loader and executor do not fit together, or the name is taken.
        InfraError: the version that the training began with is gone.
    """
    model = ModelHandle(store, config.name)
    if find_trained(model, config) is None:
        plan_training(config, store)
        check_not_held(model)


def plan_training(config: PretrainConfig, store: Store, run: str = "") -> TrainingTask:
    """Returns the task of a training that can be started; nothing is written.

    Args:
        config: what to train, and on what.
        store: where the dataset is and the model goes.
        run: id that the model's rows carry; the model's name by default.

    Raises:
        InputError: dataset, recipe, loader and executor do not fit together, or the name is taken.
        InfraError: the version that the training began with is gone.
    """
    check_workers(config)
    check_device(config)
    check_trackers(config.trackers)
    model = ModelHandle(store, config.name)
    origin = find_origin(config, model, newest_claim(model))
    dataset = open_source(model, origin)
    recipe = resolve_recipe(config, dataset)
    check_batch(config, recipe)
    _check_model(recipe, origin, model)
    make_loader(recipe, config, dataset).close()
    return TrainingTask(config, store.uri, run or config.name, origin, threads=1 if config.executor == "ray" else 0)


def find_origin(config: PretrainConfig, model: ModelHandle, before: Claim | None) -> Origin:
    """Returns what the training is made from: what it began with, else what the configuration's words mean now.

    Args:
        config: what to train.
        model: the name.
        before: the last claim of the name by anybody else; a training that was killed before its first checkpoint
            left its origin there.

    Raises:
        InputError: checkpoints of another training have the name, or dataset or model are not in the store.
    """
    manifest, checkpoints = model.manifest(), Checkpoints(model)
    if manifest is not None and (checkpoints.latest_step() or 0) < manifest.recipe.train.steps:
        raise InputError(
            f"model {model.name!r} in {model.store.uri!r} has {manifest.recipe.train.steps} steps and no checkpoint "
            f"to train on from; give another name and init_from {str(manifest.reference)!r}"
        )
    mark = checkpoints.newest_mark()
    if mark is not None and (held := mark.origin) is not None:
        check_same_origin(model, held, config)
        return held.model_copy(update={"request": config.same_training()})
    if mark is None and before is not None:
        held = before.origin
        if not differing_fields(held.request, (held.dataset_ref, held.init_from), config):
            return held.model_copy(update={"request": config.same_training()})
    dataset = resolve_dataset(model.store, config.dataset)
    init_from = resolve_model(model.store, config.init_from) if config.init_from else None
    return Origin(request=config.same_training(), dataset_ref=dataset, init_from=init_from)


def open_source(model: ModelHandle, origin: Origin) -> Dataset:
    """Returns the dataset that a training began with.

    Raises:
        InfraError: it is gone, or another one has its name; says how far the training has come on it.
    """
    try:
        return open_dataset(model.store, origin.dataset_ref)
    except DatasetGoneError as error:
        step = Checkpoints(model).latest_step()
        if step is None:
            raise
        raise DatasetGoneError(f"model {model.name!r} cannot go on from step {step}: {error}") from error


def unrecorded_version(model: ModelHandle, config: PretrainConfig, origin: Origin) -> str | None:
    """Returns a sentence that says so where nobody knows on which version of its dataset a training began."""
    mark, version = Checkpoints(model).newest_mark(), origin.dataset_ref
    if mark is None or mark.origin is not None or version.version == 1 or split_dataset(config.dataset)[1] is not None:
        return None
    return (
        f"the checkpoint of model {model.name!r} was written by earlier code, which did not record the version of its "
        f"dataset; {version} is taken (--dataset {version.name}@1 takes another)"
    )


def newer_version(store: Store, config: PretrainConfig, held: DatasetRef | None) -> str | None:
    """Returns a sentence that says so where a dataset, named without a version, has grown since a training began."""
    name, version = split_dataset(config.dataset)
    newest = DatasetHandle(store, name).manifest()
    if held is None or version is not None or newest is None or newest.version <= held.version:
        return None
    return (
        f"model {config.name!r} stays on dataset {held}, on which it began; "
        f"{newest.reference} is there too, for a model of another name"
    )


def check_workers(config: PretrainConfig, part: str = "") -> None:
    """Passes where the executor can run as many workers.

    Args:
        config: what to train.
        part: what stands before the fields' names, where the configuration is a part of another.

    Raises:
        InputError: it cannot.
    """
    if config.executor == "local" and config.workers > 1:
        raise InputError(
            f"{part}workers {config.workers} with {part}executor 'local' cannot be: it trains in this one process; "
            f"set {part}workers to 1, or {part}executor to 'ray'"
        )


def check_device(config: PretrainConfig) -> None:
    """Passes where a GPU is not asked for, is here, or may come with a cluster.

    Raises:
        InputError: it is asked for, and the training runs on this machine, which shows none.
    """
    here = config.executor == "local" or RaySettings.from_environment().address is None
    if config.device == "cuda" and here and not torch.cuda.is_available():
        raise InputError("device is 'cuda' and no GPU is visible here; choose 'auto' or 'cpu'")


def check_batch(config: PretrainConfig, recipe: Recipe, part: str = "") -> None:
    """Passes where each worker gets a clip.

    Args:
        config: what to train.
        recipe: what it was resolved to.
        part: as in `check_workers`.

    Raises:
        InputError: there are more workers than clips.
    """
    clips = recipe.train.batch_size
    if clips < config.workers:
        raise InputError(
            f"{part}batch_size {clips} is less than {part}workers {config.workers}; take fewer workers, or more clips"
        )


def _check_model(recipe: Recipe, origin: Origin, model: ModelHandle) -> None:
    """Passes where model and objective can be made, fit the clips, and have all that a run needs without checkpoint."""
    made = meta_model(recipe.model)
    check_bytes(made)
    objective = make_objective(recipe.objective, made, recipe.objective_options)
    objective.check_horizon(recipe.train.horizon)
    missing = objective.missing
    if (missing is None and origin.init_from is None) or Checkpoints(model).latest_step() is not None:
        return
    if missing is not None:
        raise InputError(missing)
    initial_weights(model.store, origin.init_from, recipe)
