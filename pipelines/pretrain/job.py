"""The pretraining job: from a dataset and a configuration to a model in the store, once."""

from dataclasses import replace

import torch

from infra.progress import Progress
from infra.storage import Store
from jepa.core.errors import InputError
from jepa.models.world_model import WorldModel
from jepa.objectives import make_objective
from jepa.training.recipes import Recipe
from pipelines.pretrain.attempt_log import training_log
from pipelines.pretrain.config import PretrainConfig
from pipelines.pretrain.metrics import ProgressFigures
from pipelines.pretrain.ray_train import train_with_ray
from pipelines.pretrain.trackers import check_trackers
from pipelines.pretrain.worker import TrainingTask, make_loader, resolve_recipe, train_worker
from pipelines.store import Dataset
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.manifest import ModelManifest, check_same_training, find_model


def pretrain(config: PretrainConfig, store: Store, progress: Progress | None = None, run: str = "") -> ModelManifest:
    """Trains the model that is asked for and returns its manifest; one that is there already is only returned.

    Args:
        config: what to train, and on what.
        store: where the dataset is and the model goes.
        progress: shows the steps.
        run: id of the run that the model is part of; the model's name by default.

    Raises:
        InputError: a wrong input, found before any work starts.
        TrainingFailure: the training went wrong numerically.
        InfraError: the store or the cluster failed for good.
        Preempted: a notice came to this process; the state is kept and the same call goes on from there.
    """
    held = find_model(store, config.name)
    if held is not None:
        check_same_training(store, held, config.same_training())
        return held
    steps = check_training(config, store)
    task = TrainingTask(config, store.uri, run or config.name, threads=1 if config.executor == "ray" else 0)
    with (
        training_log(store, config) as log,
        (progress or Progress()).with_sink(log).phase(f"pretrain {config.name}", steps, "steps") as phase,
    ):
        task = replace(task, log=log.unit("training"))
        if config.executor == "ray":
            train_with_ray(task, phase)
        else:
            train_worker(task, ProgressFigures(phase, config.name).tell)
    made = find_model(store, config.name)
    if made is None:
        raise InputError(
            f"model {config.name!r} is gone from store {store.uri!r} right after its training; leave it there"
        )
    return made


def check_training(config: PretrainConfig, store: Store) -> int:
    """Returns the number of steps of a training that can be started.

    Raises:
        InputError: dataset, recipe, loader and executor do not fit together.
    """
    if config.executor == "local" and config.workers > 1:
        raise InputError(
            f"workers {config.workers} with executor 'local' cannot be: it trains in this one process; "
            "set workers to 1, or executor to 'ray'"
        )
    check_trackers(config.trackers)
    dataset = Dataset(store, config.dataset)
    recipe = resolve_recipe(config, dataset)
    if recipe.train.batch_size < config.workers:
        raise InputError(
            f"batch_size {recipe.train.batch_size} is less than workers {config.workers}; take fewer workers"
        )
    _check_model(recipe, config, store)
    make_loader(recipe, config, dataset).close()
    return recipe.train.steps


def _check_model(recipe: Recipe, config: PretrainConfig, store: Store) -> None:
    """Passes where model and objective can be made, and have all that a run needs which has no checkpoint yet."""
    with torch.device("meta"):
        model = WorldModel(recipe.model)
    missing = make_objective(recipe.objective, model, recipe.objective_options).missing
    if missing is not None and Checkpoints(store, config.name).latest_step() is None:
        raise InputError(missing)
