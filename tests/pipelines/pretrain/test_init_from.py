"""A training starts from another model's weights, and says from which."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.pretrain import PretrainConfig, plan_training, pretrain, read_model
from pipelines.pretrain.assembly import initial_weights, make_trainer, resolve_recipe
from pipelines.store import Dataset
from pipelines.store.models.manifest import ModelGoneError, ModelHandle, resolve_model
from tests.pipelines.small_model import checkpoints_of, small_training, stored_weights, train_until


@pytest.fixture
def store(small_store: Path, tmp_path: Path) -> Store:
    """A store with dataset `d0` and a model `m0` on it."""
    store = open_store(str(shutil.copytree(small_store, tmp_path / "store")))
    pretrain(small_training(), store)
    return store


def started(name: str = "m1", **changes: Any) -> PretrainConfig:
    return small_training(name, **{"init_from": "m0", "seed": 1, **changes})


def test_the_first_step_is_taken_from_the_other_s_weights(store: Store) -> None:
    """With a learning rate near zero the weights are still the other's after it."""
    manifest = pretrain(started(steps=1, learning_rate=1e-12, train_options={"weight_decay": 0.0}), store)
    (_, theirs), (_, ours) = read_model(store, "m0"), read_model(store, "m1")
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight, theirs.get_parameter(name), atol=1e-9, rtol=0)
    assert manifest.init_from == resolve_model(store, "m0") and manifest.request["init_from"] == "m0"
    mark = checkpoints_of(store, "m1").newest_mark()
    assert mark is not None and mark.init_from == manifest.init_from
    assert f"started from the weights of model `{manifest.init_from}`" in str(ModelHandle(store, "m1").card())


def test_a_cut_changes_nothing(store: Store) -> None:
    pretrain(started("whole"), store)
    for step in (5, 22):
        train_until(step, started("cut"), store)
    pretrain(started("cut"), store)
    assert stored_weights(store, "cut") == stored_weights(store, "whole")


def test_weights_that_were_trained_on_meanwhile_are_not_taken(store: Store) -> None:
    first = resolve_model(store, "m0")
    pretrain(started("whole"), store)
    train_until(5, started("cut"), store)
    pretrain(small_training(steps=50), store)
    assert resolve_model(store, "m0") != first
    manifest = pretrain(started("cut"), store)
    assert manifest.init_from == first and stored_weights(store, "cut") == stored_weights(store, "whole")
    assert pretrain(started("whole"), store).init_from == first  # and a finished one is not asked for again
    assert pretrain(started("older", init_from=str(first)), store).init_from == first
    assert stored_weights(store, "older") == stored_weights(store, "whole")


def test_it_is_part_of_the_request(store: Store) -> None:
    first = pretrain(started(), store).init_from
    with pytest.raises(InputError, match=rf"was trained with init_from '{first}' and not None; choose another name"):
        pretrain(started(init_from=None), store)
    with pytest.raises(InputError, match=rf"was trained with init_from '{first}' and not 'm0@ffff'"):
        pretrain(started(init_from="m0@ffff"), store)
    with pytest.raises(InputError, match=r"model 'm0' in .* was trained with init_from None and not 'm1'"):
        pretrain(small_training(init_from="m1"), store)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"init_from": "m7"}, "model 'm7' is not in store .*; pretrain it, or choose one of: m0"),
        ({"init_from": "m0@ffff"}, "model 'm0' in .* has no weights 'm0@ffff'; choose one of: m0@"),
        (
            {"model_options": {"latent_size": 8}},
            r"init_from 'm0@\w+' does not fit: tensor '.*' is \(.*16.*\) there and .*8.* in the model",
        ),
        (
            {"model_options": {"encoder": "vit", "encoder_options": {"patch_size": 8}}},
            r"tensor 'encoder\..*' is absent there and \(|is \(.*\) there and absent",
        ),
    ],
)
def test_what_does_not_fit_is_said_before_any_work(store: Store, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        pretrain(started(**changes), store)
    assert not store.list("models/m1/")


@pytest.mark.parametrize("name", ["../m0", "m0@", "m0@xyz"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="model"):
        started(init_from=name)


def test_a_model_that_is_gone_is_needed_at_the_start_alone(store: Store) -> None:
    for name, step in (("begun", 22), ("not-begun", 5)):
        train_until(step, started(name), store)
    for path in store.list("models/m0/"):
        store.delete(path)
    assert pretrain(started("begun"), store).init_from is not None
    with pytest.raises(ModelGoneError, match=r"model m0@.* is gone from store"):
        pretrain(started("not-begun"), store)


def test_actions_are_normalised_as_the_new_data_asks(store: Store) -> None:
    """The statistics of the data that the other model saw are not taken over."""
    task = plan_training(started(), store)
    dataset = Dataset(store, "d0")
    weights = initial_weights(store, task.origin.init_from, resolve_recipe(task.config, dataset))
    assert weights is not None
    moved = {name: tensor + 1 if name.startswith("action_") else tensor for name, tensor in weights.items()}
    model = make_trainer(resolve_recipe(task.config, dataset), dataset, "cpu", weights=moved).objective.model
    assert torch.allclose(model.action_mean, torch.tensor(dataset.statistics["action"].mean))
