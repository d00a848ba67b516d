"""The pretraining job: from a dataset and a configuration to a model in the store, once."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from infra.observability.event_log import event
from infra.progress import Progress
from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.pretrain.cluster.preemption import Preempted, Source
from pipelines.pretrain.cluster.ray_train import train_with_ray
from pipelines.pretrain.config import PretrainConfig
from pipelines.pretrain.plan import find_origin, newer_version, plan_training, unrecorded_version
from pipelines.pretrain.records.attempt_log import training_log
from pipelines.pretrain.records.metrics import ProgressFigures
from pipelines.pretrain.records.training_rows import write_training_rows
from pipelines.pretrain.request import find_trained
from pipelines.pretrain.task import TrainingTask
from pipelines.pretrain.train import train_worker
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.claim import Lease, check_claim, claim_model
from pipelines.store.models.manifest import ModelHandle, ModelManifest

log = logging.getLogger(__name__)


def pretrain(
    config: PretrainConfig,
    store: Store,
    progress: Progress | None = None,
    run: str = "",
    sources: Sequence[Source] = (),
) -> ModelManifest:
    """Trains the model that is asked for and returns its manifest; one that is there already is only returned.

    Args:
        config: what to train, and on what; more steps than the model has train it on.
        store: where the dataset is and the model goes.
        progress: shows the steps.
        run: id of the run that the model is part of; the model's name by default.
        sources: of preemption signals to this process, besides SIGTERM where this is the main thread.

    Raises:
        InputError: a wrong input, found before any work starts, or another training holds the model's name.
        TrainingFailure: the training went wrong numerically.
        InfraError: the store or the cluster failed for good, or the dataset's version is gone.
        Preempted: this process received a preemption signal; the same call goes on from the checkpoint.
    """
    model = ModelHandle(store, config.name)
    manifest = find_trained(model, config)
    if manifest is None:
        task = plan_training(config, store, run)
        with claim_model(model, task.origin) as lease:
            # What was read before the name was ours may have changed.
            manifest = find_trained(model, config)
            if manifest is None:
                task = replace(task, origin=find_origin(config, model, lease.before), claim=lease.number)
                lease.record(task.origin)
                manifest = _train(model, task, lease, progress or Progress(), sources)
    if (sentence := newer_version(store, config, manifest.dataset_ref)) is not None:
        log.warning(sentence)
    write_training_rows(store, manifest)
    return manifest


def _train(
    model: ModelHandle, task: TrainingTask, lease: Lease, progress: Progress, sources: Sequence[Source]
) -> ModelManifest:
    config, sources = task.config, (lease.lost, *sources)
    for sentence in (unrecorded_version(model, config, task.origin), _continued(model, config)):
        if sentence is not None:
            log.warning(sentence)
    try:
        with (
            training_log(model.store, config, str(task.origin.dataset_ref)) as attempts,
            progress.with_sink(attempts).phase(f"pretrain {config.name}", config.total_steps, "steps") as phase,
        ):
            task = replace(task, log=attempts.unit("training"))
            if config.executor == "ray":
                train_with_ray(task, phase, sources=sources)
            else:
                train_worker(task, ProgressFigures(phase, config.name).show, sources=sources)
    except Preempted:
        check_claim(model, task.claim)  # who lost the name is stopped by the same signal
        raise
    made = model.manifest()
    if made is None:
        raise InputError(
            f"model {config.name!r} is gone from store {model.store.uri!r} right after its training; leave it there"
        )
    event("model committed", model=str(made.reference), dataset=str(task.origin.dataset_ref))
    return made


def _continued(model: ModelHandle, config: PretrainConfig) -> str | None:
    """Returns a sentence that says by which schedules a training goes on that had fewer steps before."""
    mark = Checkpoints(model).newest_mark()
    held = mark.request if mark is not None else None
    before = held.get("steps") or config.model_copy(update={"steps": None}).total_steps if held is not None else None
    if mark is None or before in (None, config.total_steps):
        return None
    return (
        f"model {config.name!r} goes on from step {mark.step} of {before}: from here on learning rate, loss weights "
        f"and momenta follow the schedules of a run of {config.total_steps} steps"
    )
