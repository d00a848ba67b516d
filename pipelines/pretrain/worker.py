"""One training process: reads its part of each global batch, steps, and lets rank 0 keep what must outlive it.

The same function runs in a notebook, under a debugger, and as each of many Ray Train workers.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist

from infra.storage import Store, open_store
from jepa.core.collectives import rank, world_size
from jepa.models.world_model import WorldModel
from jepa.objectives import make_objective
from jepa.training.compute import ComputeConfig
from jepa.training.recipes import Recipe
from jepa.training.trainer import Trainer
from jepa.worlds import WORLDS
from pipelines.executor import UnitLog
from pipelines.loader import ClipRequest, Loader, open_loader
from pipelines.pretrain.attempt_log import recorded_attempt
from pipelines.pretrain.config import PretrainConfig
from pipelines.pretrain.preemption import Agreement, Notice, Preempted, Source, heeding_sigterm, touched
from pipelines.pretrain.run_log import Keeper, Warn
from pipelines.store import Dataset
from pipelines.store.models.checkpoints import Checkpoint, Checkpoints
from pipelines.store.models.commit import finish
from pipelines.store.models.manifest import find_model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingTask:
    """All that a training process is told; it travels to workers as it stands."""

    config: PretrainConfig
    store_uri: str
    run: str
    threads: int = 0
    """Threads of torch in this process; 0 leaves them as they are."""
    log: UnitLog | None = None
    """Where the attempt is logged."""


COMMITTED = -1
"""Stands for the step to continue from where there is nothing left to do."""

Report = Callable[[int, dict[str, float]], None]
"""Is called by rank 0 with the steps done and the figures of the last logged one."""


def train_worker(
    task: TrainingTask, report: Report | None = None, warn: Warn = log.warning, sources: Sequence[Source] = ()
) -> None:
    """Trains to the end, from the last checkpoint on if there is one, and commits the model; one that is there stays.

    Args:
        task: what to train, and where.
        report: is told each logged step.
        warn: is told in a sentence what went wrong and does not stop the training.
        sources: of preemption notices, besides SIGTERM and the file that is configured.

    Raises:
        InputError: dataset and configuration do not fit.
        TrainingFailure: the training went wrong numerically; nothing is committed.
        Preempted: some worker had a notice; the checkpoint is committed.
    """
    if task.threads:
        torch.set_num_threads(task.threads)
    store = open_store(task.store_uri)
    with recorded_attempt(task.log, store, in_worker=task.config.executor == "ray"):
        _train(task, store, report, warn, sources)


def _train(task: TrainingTask, store: Store, report: Report | None, warn: Warn, sources: Sequence[Source]) -> None:
    config = task.config
    dataset = Dataset(store, config.dataset)
    recipe = resolve_recipe(config, dataset)
    trainer = make_trainer(recipe, dataset, pick_device(config.device), config.compute)
    loader = make_loader(recipe, config, dataset)
    if config.preemption_file is not None:
        sources = (*sources, touched(config.preemption_file))
    try:
        with Notice(sources) as notice, heeding_sigterm(notice) if config.preemption_every else nullcontext():
            _run(task, store, dataset, recipe, trainer, loader, report, warn, notice)
    finally:
        loader.close()


def resolve_recipe(config: PretrainConfig, dataset: Dataset) -> Recipe:
    """Returns the recipe with all its fields, for the dataset's world."""
    action_size = WORLDS.get(dataset.world).world_spec.action_size
    return config.resolve(dataset.manifest.image_size[0], action_size)


def make_trainer(recipe: Recipe, dataset: Dataset, device: str, compute: ComputeConfig | None = None) -> Trainer:
    """Returns a trainer at step 0 whose model knows the statistics of the training split's actions."""
    model = WorldModel.from_config(recipe.model, seed=recipe.train.seed)
    actions = dataset.statistics["action"]
    model.set_action_statistics(np.asarray(actions.mean), np.asarray(actions.std))
    objective = make_objective(recipe.objective, model, recipe.objective_options, seed=recipe.train.seed)
    return Trainer(objective, recipe.train, device, compute)


def make_loader(recipe: Recipe, config: PretrainConfig, dataset: Dataset) -> Loader:
    """Returns this process's loader of the training split."""
    request = ClipRequest(
        dataset=dataset,
        split="train",
        history=recipe.model.history,
        horizon=recipe.train.horizon,
        frameskip=recipe.model.frameskip,
        batch_size=recipe.train.batch_size,
        seed=recipe.train.seed,
        rank=rank(),
        world_size=world_size(),
        config=config.loader,
    )
    return open_loader(request)


def pick_device(wanted: str) -> str:
    """Returns the torch device of this process; Ray Train shows a GPU worker its own GPU alone."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted


def _run(
    task: TrainingTask,
    store: Store,
    dataset: Dataset,
    recipe: Recipe,
    trainer: Trainer,
    loader: Loader,
    report: Report | None,
    warn: Warn,
    notice: Notice,
) -> None:
    checkpoints = Checkpoints(store, task.config.name, task.config.keep_checkpoints)
    committed = rank() == 0 and find_model(store, task.config.name) is not None
    if not _resume(checkpoints, trainer, loader, committed):
        if rank() == 0:
            checkpoints.clear()
        return
    agreement = Agreement(notice, task.config.preemption_every, trainer.device)
    with contextlib.ExitStack() as stack:
        keeper: Keeper | None = None
        if rank() == 0:
            keeper = Keeper(store, task.config, recipe, checkpoints, trainer.completed_steps, warn)
            stack.enter_context(keeper)
        clips = iter(loader)
        while not trainer.finished:
            figures = trainer.step(next(clips))
            if keeper is not None and figures:
                # The share of this process's time spent waiting for clips: near 0, or the loader holds training back.
                figures |= {"data_wait": loader.counters().wait_share, "workers": float(world_size())}
                keeper.log(trainer.completed_steps, figures)
                if report is not None:
                    report(trainer.completed_steps, figures)
            if not trainer.finished:
                _checkpoint_if_due(trainer, loader, keeper, preempted=agreement.reached(trainer.completed_steps))
        model = trainer.whole_model()
        if keeper is not None:
            curve = keeper.close_figures(trainer.completed_steps)
            finish(store, task.config.name, dataset, recipe, model, task.config.same_training(), task.run, curve)
            checkpoints.clear()
    if world_size() > 1:
        # Nobody leaves before the model is committed: Ray Train takes the first exit for the whole group's.
        dist.barrier()


def _checkpoint_if_due(trainer: Trainer, loader: Loader, keeper: Keeper | None, preempted: bool) -> None:
    """Takes a checkpoint after every so many steps, and at once where the process is to make room.

    Raises:
        Preempted: it is, and rank 0 has done what it can to commit the checkpoint.
    """
    step = trainer.completed_steps
    if not preempted and step % trainer.config.checkpoint_every:
        return
    began = time.monotonic()
    # In every process, though one keeps it: sharded weights take all to gather, and the others would only wait.
    checkpoint = Checkpoint(step, trainer.state(), loader.position())
    if keeper is not None:
        keeper.checkpoint(checkpoint, time.monotonic() - began)
    if preempted:
        saved = keeper is None or keeper.saved(step)
        if world_size() > 1:
            dist.barrier()
        raise Preempted(step, saved)


def _resume(checkpoints: Checkpoints, trainer: Trainer, loader: Loader, committed: bool) -> bool:
    """Continues from the newest whole checkpoint; returns False where the model is committed already.

    Rank 0 decides for all. Workers that are lost between the commit and their end are started again, and find no
    checkpoint any more: they would train another model over the one that is there.
    """
    step = 0
    if rank() == 0:
        step = COMMITTED if committed else checkpoints.latest_step() or 0
    if world_size() > 1:
        shared = torch.tensor(step, device=trainer.device)
        dist.broadcast(shared, src=0)
        step = int(shared)
    if step > 0:
        checkpoint = checkpoints.load(step)
        trainer.load(checkpoint.state)
        loader.seek(checkpoint.loader_position)
    return step != COMMITTED
