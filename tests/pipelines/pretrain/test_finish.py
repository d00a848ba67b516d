"""The end of a training: weights and manifest that name what they came from, and a checkpoint to train on from."""

import shutil
from pathlib import Path

import pytest
import torch

from infra.storage import Store, open_store
from pipelines.pretrain import plan_training
from pipelines.pretrain.assembly import make_trainer, resolve_recipe
from pipelines.pretrain.finish import finish, is_finished
from pipelines.pretrain.records.run_log import NoRunLog, RunLog
from pipelines.pretrain.task import TrainingTask
from pipelines.store import Dataset, open_dataset
from pipelines.store.models.checkpoints import Checkpoint, Checkpoints
from pipelines.store.models.claim import ClaimLostError, claim_model
from pipelines.store.models.manifest import ModelHandle, ModelManifest, find_model
from tests.pipelines.small_model import small_training


@pytest.fixture
def store(small_store: Path, tmp_path: Path) -> Store:
    return open_store(str(shutil.copytree(small_store, tmp_path / "store")))


def finished(store: Store, steps: int = 30, claim: int | None = None) -> ModelManifest | None:
    """Finishes a training that took no step at all."""
    task = plan_training(small_training(steps=steps), store, "r0")
    task = TrainingTask(task.config, task.store_uri, task.run, task.origin, claim)
    model, dataset = ModelHandle(store, "m0"), open_dataset(store, task.origin.dataset_ref)
    recipe = resolve_recipe(task.config, dataset)
    trainer = make_trainer(recipe, dataset, "cpu")
    with torch.no_grad():
        next(trainer.objective.model.parameters()).mul_(steps)
    with RunLog(task, recipe, Checkpoints(model), 0, None, print) as log:
        for step in (10, steps):
            log.log(step, {"loss": float(step)}, 0.0)
            log.checkpoint(Checkpoint(step, trainer.state(), {"epoch": 0, "batch": step}, task.origin), 0.0)
            log.saved(step)
        return finish(task, model, dataset, recipe, trainer, log)


def test_the_manifest_names_what_the_model_came_from(store: Store) -> None:
    manifest = finished(store)
    assert manifest is not None and manifest == find_model(store, "m0")
    assert manifest.dataset_ref == Dataset(store, "d0").manifest.reference and manifest.run == "r0"
    assert manifest.dataset_digest == Dataset(store, "d0").manifest.plan_digest
    assert manifest.request == small_training().same_training() and manifest.continued_from is None
    assert "| loss | 30 |" in str(ModelHandle(store, "m0").card())


def test_the_last_checkpoint_stays_and_no_other(store: Store) -> None:
    finished(store)
    assert Checkpoints(ModelHandle(store, "m0")).steps() == [30]


def test_more_steps_continue_what_is_there(store: Store) -> None:
    first = finished(store)
    second = finished(store, steps=50)
    assert first is not None and second is not None and second.continued_from == first.reference
    assert find_model(store, "m0") == second and second.reference != first.reference


def test_who_lost_the_name_commits_nothing(store: Store) -> None:
    model, origin = ModelHandle(store, "m0"), plan_training(small_training(), store).origin
    for _ in range(2):
        with claim_model(model, origin):
            pass
    with pytest.raises(ClaimLostError):
        finished(store, claim=1)
    assert find_model(store, "m0") is None and not store.list("models/m0/weights/")
    assert finished(store, claim=2) == find_model(store, "m0")


def test_one_rank_commits(store: Store) -> None:
    task = plan_training(small_training(), store)
    dataset = open_dataset(store, task.origin.dataset_ref)
    recipe = resolve_recipe(task.config, dataset)
    trainer = make_trainer(recipe, dataset, "cpu")
    assert finish(task, ModelHandle(store, "m0"), dataset, recipe, trainer, NoRunLog()) is None
    assert not store.list("models/")


def test_a_model_is_finished_with_as_many_steps_as_are_asked_for(store: Store) -> None:
    model, dataset = ModelHandle(store, "m0"), Dataset(store, "d0")
    short, long = (resolve_recipe(small_training(steps=steps), dataset) for steps in (30, 50))
    assert not is_finished(model, short)
    finished(store)
    assert is_finished(model, short) and not is_finished(model, long)
