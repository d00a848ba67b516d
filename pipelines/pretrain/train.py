"""One training process, from data to a model in the store, on one screen.

The same function runs in a notebook, under a debugger, and as each of many Ray Train workers.
"""

import logging
import time
from collections.abc import Sequence

import torch
import torch.distributed as dist

from infra.storage import Store, open_store
from jepa.core.collectives import rank, world_size
from jepa.training.trainer import Trainer
from pipelines.loader import Loader
from pipelines.pretrain.assembly import initial_weights, make_loader, make_trainer, pick_device, resolve_recipe
from pipelines.pretrain.cluster.preemption import Agreement, Preempted, Source, file_is_written, preemption_signal
from pipelines.pretrain.finish import finish, is_finished
from pipelines.pretrain.records.attempt_log import recorded_attempt
from pipelines.pretrain.records.run_log import NoRunLog, Report, RunLog, Warn, open_run_log
from pipelines.pretrain.task import TrainingTask
from pipelines.store import open_dataset
from pipelines.store.models.checkpoints import Checkpoint, Checkpoints
from pipelines.store.models.manifest import ModelHandle

log = logging.getLogger(__name__)

NOTHING_TO_DO = -1
"""Stands for the step to start from where the model is committed already."""


def train_worker(
    task: TrainingTask, report: Report | None = None, warn: Warn = log.warning, sources: Sequence[Source] = ()
) -> None:
    """Trains to the end, from the last checkpoint on if there is one, and commits the model; one that is there stays.

    Args:
        task: what to train, and where; `plan_training` makes one.
        report: gets the step and the figures of each logged step.
        warn: gets a sentence for what went wrong and does not stop the training.
        sources: of preemption signals, besides SIGTERM and the file that is configured.

    Raises:
        InputError: dataset and configuration do not fit.
        InfraError: the dataset's version is gone or damaged, or the store failed for good.
        TrainingFailure: the training went wrong numerically; nothing is committed.
        Preempted: some worker received a preemption signal; the checkpoint is committed, if it could be.
    """
    if task.threads:
        torch.set_num_threads(task.threads)
    store = open_store(task.store_uri)
    with recorded_attempt(task.log, store, in_worker=task.config.executor == "ray"):
        _train(task, store, report, warn, sources)


def _train(task: TrainingTask, store: Store, report: Report | None, warn: Warn, sources: Sequence[Source]) -> None:
    config, device = task.config, pick_device(task.config.device)
    model, dataset = ModelHandle(store, config.name), open_dataset(store, task.origin.dataset_ref)
    recipe = resolve_recipe(config, dataset)
    checkpoints = Checkpoints(model, config.keep_checkpoints, config.keep_every)
    start = first_step(checkpoints, finished=rank() == 0 and is_finished(model, recipe), device=device)
    if start == NOTHING_TO_DO:
        return
    weights = initial_weights(store, task.origin.init_from, recipe) if start == 0 else None
    trainer = make_trainer(recipe, dataset, device, config.compute, weights)
    if config.preemption_file is not None:
        sources = (*sources, file_is_written(config.preemption_file))
    with (
        make_loader(recipe, config, dataset) as loader,
        preemption_signal(sources, sigterm=config.preemption_every > 0) as preemption,
    ):
        if start:
            checkpoint = checkpoints.load(start)
            trainer.load(checkpoint.state)
            loader.seek(checkpoint.loader_position)
        clips, agreement = iter(loader), Agreement(preemption, config.preemption_every, device)
        with open_run_log(task, recipe, checkpoints, start, report, warn) as run_log:
            while not trainer.finished:
                figures = trainer.step(next(clips))
                step = trainer.completed_steps
                if figures:
                    run_log.log(step, figures, loader.counters().wait_share)
                else:
                    run_log.passed(step, loader.counters)
                preempted = not trainer.finished and agreement.reached(step)
                due = step % recipe.train.checkpoint_every == 0 or checkpoints.is_kept(step)
                if preempted or trainer.finished or due:
                    take_checkpoint(task, trainer, loader, run_log)
                if preempted:
                    stop_for_preemption(trainer, run_log)
            finish(task, model, dataset, recipe, trainer, run_log)
        if world_size() > 1:
            # Nobody leaves before the model is committed: Ray Train takes the first exit for the whole group's.
            dist.barrier()


def first_step(checkpoints: Checkpoints, finished: bool, device: torch.device) -> int:
    """Returns the steps of the newest whole checkpoint, 0 without one, or that there is nothing to do.

    Rank 0 decides for all. Workers that are lost between the commit and their end are started again: they would train
    another model over the one that is there.
    """
    step = 0
    if rank() == 0:
        step = NOTHING_TO_DO if finished else checkpoints.latest_step() or 0
    if world_size() > 1:
        shared = torch.tensor(step, device=device)
        dist.broadcast(shared, src=0)
        step = int(shared)
    return step


def take_checkpoint(task: TrainingTask, trainer: Trainer, loader: Loader, run_log: RunLog | NoRunLog) -> None:
    """Takes the state in every process, though one keeps it: sharded weights need all of them to be gathered."""
    began = time.monotonic()
    checkpoint = Checkpoint(trainer.completed_steps, trainer.state(), loader.position(), task.origin)
    run_log.checkpoint(checkpoint, time.monotonic() - began)


def stop_for_preemption(trainer: Trainer, run_log: RunLog | NoRunLog) -> None:
    """Ends this process in order when rank 0 has done what it can to commit the checkpoint.

    Raises:
        Preempted: always.
    """
    saved = run_log.saved(trainer.completed_steps)
    if world_size() > 1:
        dist.barrier()
    raise Preempted(trainer.completed_steps, saved)
