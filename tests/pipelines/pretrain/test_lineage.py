"""A training knows the very version of its dataset from beginning to end, whatever becomes of the name."""

import shutil
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.pretrain import check_training, plan_training, pretrain, train_worker
from pipelines.store import DatasetGoneError, resolve_dataset
from pipelines.store.models.manifest import find_model, require_model
from pipelines.store.references import DatasetRef
from tests.pipelines.small_dataset import small_dataset
from tests.pipelines.small_model import before_step, checkpoints_of, small_training, stored_weights, train_until


@pytest.fixture
def store(small_store: Path, tmp_path: Path) -> Store:
    """A copy of the small store, whose dataset `d0` has one version."""
    return open_store(str(shutil.copytree(small_store, tmp_path / "store")))


@pytest.fixture(scope="module")
def undisturbed(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The weights of 30 steps on the first version of `d0`."""
    store = open_store(str(shutil.copytree(small_store, tmp_path_factory.mktemp("undisturbed") / "store")))
    pretrain(small_training(), store)
    return stored_weights(store, "m0")


def extend(store: Store) -> DatasetRef:
    """Adds 20 episodes to `d0` and returns the new version."""
    return small_dataset(store, name="d0", steps=40, episodes=60).manifest.reference


def remove(store: Store, prefix: str) -> None:
    for path in store.list(prefix):
        store.delete(path)


def test_everything_that_a_training_leaves_names_the_version(store: Store) -> None:
    version = resolve_dataset(store, "d0")
    manifest = pretrain(small_training(), store)
    mark = checkpoints_of(store, "m0").newest_mark()
    assert manifest.dataset_ref == version and mark is not None and mark.dataset_ref == version
    assert mark.request == manifest.request == small_training().same_training()
    assert "of dataset `d0@1`" in store.read("models/m0/card.md").decode()


def test_an_extension_while_a_model_trains_changes_nothing_for_it(store: Store, undisturbed: bytes) -> None:
    with before_step(10, lambda: extend(store)):
        manifest = pretrain(small_training(), store)
    assert resolve_dataset(store, "d0").version == 2
    assert manifest.dataset_ref == resolve_dataset(store, "d0@1") and stored_weights(store, "m0") == undisturbed


@pytest.mark.parametrize("step", [5, 22])
def test_a_restart_after_an_extension_goes_on_with_the_first_version(
    store: Store, undisturbed: bytes, step: int, caplog: pytest.LogCaptureFixture
) -> None:
    """From a checkpoint, or from the claim where there is none yet."""
    train_until(step, small_training(), store)
    first, newest = resolve_dataset(store, "d0"), extend(store)
    manifest = pretrain(small_training(), store)
    assert manifest.dataset_ref == first != newest and stored_weights(store, "m0") == undisturbed
    assert "model 'm0' stays on dataset d0@1, on which it began; d0@2 is there too" in caplog.text


def test_a_worker_opens_what_its_task_names(store: Store, undisturbed: bytes) -> None:
    task = plan_training(small_training(), store)
    extend(store)
    train_worker(task)
    assert require_model(store, "m0").dataset_ref == task.origin.dataset_ref
    assert stored_weights(store, "m0") == undisturbed


def test_a_version_can_be_named(store: Store, undisturbed: bytes) -> None:
    newest = extend(store)
    first = pretrain(small_training("m1", dataset="d0@1"), store)
    second = pretrain(small_training("m2"), store)
    assert first.dataset_ref == resolve_dataset(store, "d0@1") and second.dataset_ref == newest
    assert stored_weights(store, "m1") == undisturbed != stored_weights(store, "m2")
    with pytest.raises(InputError, match="dataset 'd0' has no version 3; choose one from 1 to 2"):
        pretrain(small_training("m3", dataset="d0@3"), store)
    with pytest.raises(ValueError, match=r"dataset 'd0@x' has no version number after '@'; write e\.g\. d0@2"):
        small_training(dataset="d0@x")


def test_a_finished_model_stays_what_it_is_after_an_extension(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    manifest = pretrain(small_training(), store)
    extend(store)
    assert pretrain(small_training(), store) == manifest
    assert "model 'm0' stays on dataset d0@1, on which it began; d0@2 is there too" in caplog.text
    assert pretrain(small_training(dataset="d0@1"), store) == manifest
    check_training(small_training(), store)
    with pytest.raises(InputError, match=r"model 'm0' in .* was trained with dataset 'd0@1' and not 'd0@2'; choose"):
        pretrain(small_training(dataset="d0@2"), store)


def test_an_unfinished_training_takes_no_other_version(store: Store) -> None:
    train_until(22, small_training(), store)
    extend(store)
    with pytest.raises(InputError, match=r"model 'm0' in .* was trained with dataset 'd0@1' and not 'd0@2'"):
        pretrain(small_training(dataset="d0@2"), store)
    assert pretrain(small_training(dataset="d0@1"), store).dataset_ref == resolve_dataset(store, "d0@1")


def test_a_training_without_a_checkpoint_may_take_another_version(store: Store) -> None:
    train_until(5, small_training(), store)
    newest = extend(store)
    assert pretrain(small_training(dataset="d0@2"), store).dataset_ref == newest


def test_a_resumed_run_whose_version_is_gone_says_so(store: Store, undisturbed: bytes) -> None:
    train_until(22, small_training(), store)
    remove(store, "datasets/d0/")
    with pytest.raises(
        DatasetGoneError, match=r"^model 'm0' cannot go on from step 20: dataset d0@1 is gone from store .*; collect it"
    ):
        pretrain(small_training(), store)
    small_dataset(store, name="d0", steps=40, seed=1)
    with pytest.raises(
        DatasetGoneError, match=r"^model 'm0' cannot go on from step 20: dataset d0@1 .* has other content than when"
    ):
        check_training(small_training(), store)
    assert find_model(store, "m0") is None
    remove(store, "datasets/d0/")
    small_dataset(store, name="d0", steps=40)  # the same content is the same version
    pretrain(small_training(), store)
    assert stored_weights(store, "m0") == undisturbed


def test_a_finished_model_needs_its_dataset_no_more(store: Store) -> None:
    manifest = pretrain(small_training(), store)
    remove(store, "datasets/d0/")
    assert pretrain(small_training(), store) == manifest


def test_a_training_of_earlier_code_is_resumed(early_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Its checkpoint names no version: the newest is taken, and said where there are several."""
    config = small_training("half", dataset="golden", steps=None, precision="fp64")
    assert checkpoints_of(early_store, "half").newest_mark() is not None
    copy = open_store(str(shutil.copytree(early_store.uri, f"{early_store.uri}-copy")))
    manifest = pretrain(config, early_store)
    assert manifest.dataset_ref == resolve_dataset(early_store, "golden") and manifest.recipe.train.steps == 40
    assert "which did not record the version" not in caplog.text
    small_dataset(copy, name="golden", episodes=60, steps=40, episodes_per_shard=8, test_share=0.2, chunk_frames=32)
    manifest = pretrain(config, copy)
    assert manifest.dataset_ref == resolve_dataset(copy, "golden@2")
    assert caplog.text.count("which did not record the version of its dataset; golden@2 is taken") == 1


def test_a_model_of_earlier_code_is_not_trained_again(early_store: Store) -> None:
    config = small_training("golden", dataset="golden", steps=None, precision="fp64")
    before = early_store.list("")
    assert pretrain(config, early_store).dataset_ref is None
    assert early_store.list("") == before
    with pytest.raises(InputError, match=r"model 'golden' in .* was trained with seed 0 and not 1"):
        pretrain(config.model_copy(update={"seed": 1}), early_store)
