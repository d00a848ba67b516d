"""The end of a training: its weights become a model of the store."""

from infra.version import code_version
from jepa.training.recipes import Recipe
from jepa.training.trainer import Trainer
from pipelines.pretrain.joint_head import head_request, training_facts
from pipelines.pretrain.records.run_log import NoRunLog, RunLog
from pipelines.pretrain.task import TrainingTask
from pipelines.store import Dataset
from pipelines.store.models.card import model_card
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.claim import check_claim
from pipelines.store.models.commit import commit_model, weights_of
from pipelines.store.models.heads.handle import commit_head
from pipelines.store.models.manifest import ModelHandle, ModelManifest, Segment


def is_finished(model: ModelHandle, recipe: Recipe) -> bool:
    """Returns whether the model is there, with as many steps as the recipe has."""
    manifest = model.manifest()
    return manifest is not None and manifest.recipe.train.steps == recipe.train.steps


def finish(
    task: TrainingTask,
    model: ModelHandle,
    dataset: Dataset,
    recipe: Recipe,
    trainer: Trainer,
    run_log: RunLog | NoRunLog,
) -> ModelManifest | None:
    """Commits the model in rank 0, where it returns the manifest; its last checkpoint stays, to train on from.

    A head for planners that was trained with it is committed, too.

    Raises:
        ClaimLostError: another training has taken the name over; nothing is written.
    """
    # In every process: sharded weights need all of them to be gathered.
    trained, head = trainer.whole_model(), trainer.whole_head()
    if isinstance(run_log, NoRunLog):
        return None
    check_claim(model, task.claim)
    curve = run_log.close_figures(trainer.completed_steps)
    weights, sha256, parameters = weights_of(trained)
    before = model.manifest()
    manifest = ModelManifest(
        name=model.name,
        weights_sha256=sha256,
        parameters=parameters,
        recipe=recipe,
        request=task.origin.request,
        dataset=dataset.name,
        dataset_digest=dataset.manifest.plan_digest,
        dataset_ref=task.origin.dataset_ref,
        init_from=task.origin.init_from,
        continued_from=before.reference if before is not None else None,
        segments=tuple(Segment.model_validate(segment) for segment in trainer.segments),
        world=dataset.world,
        world_options=dict(dataset.world_options),
        run=task.run,
        code_version=code_version(),
        seconds=curve.seconds,
    )
    if head is not None:
        # Before the model: who starts again after its commit does nothing more.
        commit_head(model.store, head_request(head, manifest, dataset), head, training_facts(curve, dataset))
    committed = commit_model(model, manifest, weights, model_card(manifest, curve))
    Checkpoints(model, keep_every=task.config.keep_every).prune(keep=1)
    return committed
