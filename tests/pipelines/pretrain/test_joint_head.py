"""A head that was trained with a model lies beside it like those fitted afterwards, and the model is as any other."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from jepa.planning.heads.inverse import InverseHead
from pipelines.heads import FitHeadsConfig, fit_heads
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.pretrain.plan import check_training
from pipelines.store.models.curve import read_curve
from pipelines.store.models.heads.handle import heads_of, read_head, resolve_head
from pipelines.store.models.heads.manifest import HeadRequest
from pipelines.store.models.manifest import ModelHandle, read_model
from pipelines.store.models.verify import verify_model
from pipelines.store.references import DatasetRef, ModelRef
from tests.pipelines.small_model import small_training, stored_weights, train_until

OPTIONS = {"joint_head": "inverse", "joint_head_options": {"width": 8, "depth": 1, "batch_size": 16}}


@pytest.fixture
def store(small_store: Path, tmp_path: Path) -> Store:
    return open_store(str(shutil.copytree(small_store, tmp_path / "store")))


def joint(name: str = "m0", **changes: Any) -> PretrainConfig:
    return small_training(name, objective_options=OPTIONS, trackers=(), **changes)


def test_the_head_is_found_by_its_kind_and_says_how_it_was_trained(store: Store) -> None:
    manifest = pretrain(joint(), store)
    reference = resolve_head(store, manifest.reference, "inverse")
    (held,) = heads_of(store, "m0")
    assert held.reference == reference and held.request.seed == 0 and str(held.request.dataset) == "d0@1"
    assert held.request.jointly is not None and held.request.jointly.longest == 15 and held.episodes > 0
    card = store.read(f"models/m0/heads/{held.name}/card.md").decode()
    assert "trained jointly" in card and "reached the encoder" in card and "at most 15 environment steps" in card
    head = read_head(store, manifest.reference, reference)
    model = read_model(store, "m0")[1]
    assert isinstance(head, InverseHead)
    latents = torch.randn(3, model.config.latent_size)
    assert head(latents, latents, 5).shape == (3, model.config.frameskip, model.config.action_size)
    assert not verify_model(ModelHandle(store, "m0")).problems


def test_the_model_s_file_holds_the_model_alone(store: Store) -> None:
    pretrain(joint(), store)
    pretrain(small_training("m1", trackers=()), store)
    one, other = (load(stored_weights(store, name)) for name in ("m0", "m1"))
    assert one.keys() == other.keys() and not any("head" in name for name in one)
    assert any(not torch.equal(tensor, other[name]) for name, tensor in one.items()), "its gradient reached the model"
    assert not list(heads_of(store, "m1"))


def test_a_training_that_was_killed_comes_to_the_same_head(store: Store) -> None:
    pretrain(joint(), store)
    train_until(25, joint("m1"), store)
    assert not list(heads_of(store, "m1"))
    pretrain(joint("m1"), store)
    (one,), (other,) = heads_of(store, "m0"), heads_of(store, "m1")
    assert one.weights_sha256 == other.weights_sha256 and one.loss == other.loss


def test_one_fitted_afterwards_lies_beside_it_and_is_the_newest(store: Store) -> None:
    manifest = pretrain(joint(), store)
    options = {"inverse": {"width": 8, "depth": 1, "steps": 5, "batch_size": 16}}
    asked = FitHeadsConfig(model="m0", options=options, executor="local", workers=1)
    fitted = fit_heads(asked, store).heads[0]
    assert fitted.request.jointly is None and len(list(heads_of(store, "m0"))) == 2
    assert resolve_head(store, manifest.reference, "inverse") == fitted.reference


def test_heads_that_are_fitted_afterwards_keep_the_names_that_they_had() -> None:
    asked = {"kind": "inverse", "version": 1, "options": {"width": 8}, "seed": 0}
    model, dataset = ModelRef(name="m0", digest="a" * 64), DatasetRef(name="d0", version=1, digest="b" * 64)
    assert HeadRequest.model_validate({**asked, "model": model, "dataset": dataset}).name == "inverse-ed9a8410"


def test_a_horizon_beyond_the_clips_is_refused_before_anything_is_written(store: Store) -> None:
    before = store.list("models/")
    asked = small_training(objective_options={"open_loop_horizons": 4})
    with pytest.raises(InputError, match=r"open_loop_horizons is 4 and clips have 3 .*raise train_options\.horizon"):
        check_training(asked, store)
    with pytest.raises(InputError, match="open_loop_horizons is 4"):
        pretrain(asked, store)
    assert store.list("models/") == before
    longer = small_training(objective_options={"open_loop_horizons": 4}, train_options={"horizon": 4}, trackers=())
    pretrain(longer, store)
    curve = {str(row["metric"]) for row in read_curve(ModelHandle(store, "m0"), 30).rows}
    assert {f"open_loop_prediction_{horizon}" for horizon in range(1, 5)} <= curve
