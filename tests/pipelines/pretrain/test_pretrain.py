"""Pretraining in this process: what it leaves, what it refuses, and that a cut changes nothing."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from jepa.training.trainer import Trainer
from pipelines.pretrain import PretrainConfig, find_model, plan_training, pretrain, read_model, train_worker
from pipelines.pretrain import train as train_module
from pipelines.store.models.curve import read_curve
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.reports import committed_units, read_table
from tests.jepa.training.gloo import run_in_processes
from tests.pipelines.small_dataset import small_dataset
from tests.pipelines.small_model import checkpoints_of, stored_weights


def config(**changes: object) -> PretrainConfig:
    values: dict[str, object] = {
        "dataset": "d0",
        "name": "m0",
        "recipe": "smoke",
        "executor": "local",
        "steps": 30,
    }
    return PretrainConfig.model_validate(values | changes)


@pytest.fixture
def local_store(small_store: Path, tmp_path: Path) -> Store:
    """A copy of the small store."""
    shutil.copytree(small_store, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def test_a_model_is_weights_configuration_card_and_curve(local_store: Store) -> None:
    manifest = pretrain(config(), local_store)
    files = {path.removeprefix("models/m0/") for path in local_store.list("models/m0/")}
    events = {f"tensorboard/events.out.tfevents.{step:010d}" for step in (20, 30)}
    last = {f"checkpoints/step-00000030/{file}" for file in ("checkpoint.json", "state.safetensors")}
    stored = {f"weights/{manifest.weights_sha256}.safetensors", f"manifests/{manifest.digest}.json"}
    stored.add(f"digests/{manifest.digest}.json")
    assert files == {"config.json", "card.md", "metrics.parquet", "claims/000001.json"} | stored | last | events
    held, model = read_model(local_store, "m0")
    assert held == manifest == read_model(local_store, manifest.reference)[0]
    assert manifest.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert manifest.recipe.model.image_size == 32
    assert not torch.equal(model.action_std, torch.ones(2))  # the train split's statistics travel with the weights
    (unit,) = committed_units(local_store)
    assert unit.key.startswith("training-m0-") and unit.model_digest == manifest.digest
    assert unit.dataset_reference == manifest.dataset_ref and unit.protocol_digest == manifest.recipe.fingerprint()


def test_a_second_time_nothing_is_done(local_store: Store) -> None:
    first = pretrain(config(), local_store)
    assert pretrain(config(), local_store) == first
    with pytest.raises(InputError, match="seed 0 and not 1"):
        pretrain(config(seed=1), local_store)


class Cut(Exception):
    """Stands for a kill."""


def test_a_run_that_is_cut_anywhere_ends_in_the_same_weights(
    local_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretrain(config(name="whole"), local_store)
    real = Trainer.step

    def cut_at(step: int) -> None:
        def stepping(self: Trainer, clips: object) -> dict[str, float]:
            if self.completed_steps == step:
                raise Cut
            return real(self, clips)  # type: ignore[arg-type]

        monkeypatch.setattr(Trainer, "step", stepping)

    for step in (5, 22, 29):  # before the first checkpoint, after it, before the last step
        cut_at(step)
        with pytest.raises(Cut):
            pretrain(config(name="cut"), local_store)
        assert find_model(local_store, "cut") is None
    assert checkpoints_of(local_store, "cut").steps() == [20]
    monkeypatch.setattr(Trainer, "step", real)
    pretrain(config(name="cut"), local_store)
    assert stored_weights(local_store, "cut") == stored_weights(local_store, "whole")
    rows = read_table(local_store, "training").compute()
    whole, cut = (rows[rows.model == name] for name in ("whole", "cut"))
    assert len(whole) == len(cut) > 0 and list(whole.step) == list(cut.step)


def test_a_checkpoint_of_another_configuration_is_refused(local_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(Cut):
        patch.setattr(train_module, "finish", lambda *_: (_ for _ in ()).throw(Cut))
        pretrain(config(), local_store)
    with pytest.raises(InputError, match="learning_rate"):
        pretrain(config(learning_rate=0.5), local_store)


def test_damaged_weights_are_found(local_store: Store) -> None:
    pretrain(config(steps=3), local_store)
    (path,) = local_store.list("models/m0/weights/")
    data = bytearray(local_store.read(path))
    data[-1] ^= 1
    local_store.write(path, bytes(data))
    with pytest.raises(InfraError, match="damaged"):
        read_model(local_store, "m0")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dataset": "nowhere"}, "dataset 'nowhere' is not in store .*choose one of: d0"),
        ({"workers": 2}, "workers 2 with executor 'local'"),
        ({"batch_size": 100_000}, "too few for one batch"),
        ({"recipe": "frozen-small"}, "objective_options.weights is missing; give a local file"),
        (
            {"objective": "frozen", "objective_options": {"weights": "no/file"}},
            r"'/.*no/file' does not exist",
        ),
    ],
)
def test_what_cannot_be_trained_is_said_before_any_work(
    small_store: Path, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        pretrain(config(**changes), open_store(str(small_store)))
    assert not (small_store / "models").exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("recipe", "huge", "recipe 'huge' is not known; choose one of: .*lewm-tiny"),
        ("objective", "magic", "objective 'magic' is not known"),
        ("name", "../m0", "not usable"),
        ("steps", -1, "greater than 0"),
        ("epochs", 3, "Extra inputs"),
        ("objective_options", {"hold": 2}, "objective_options.hold: .* less than or equal to 1, got 2"),
        ("objective_options", {"weights": "file"}, "objective_options.weights: Extra inputs"),
        ("model_options", {"latent": 8}, "model_options.latent: Extra inputs"),
        ("model_options", {"image_size": 8}, "model_options.image_size cannot be given: the dataset decides it"),
        ("model_options", {"encoder": "swin"}, "encoder 'swin' is not known; choose one of: conv"),
        ("train_options", {"warmup": 3}, "train_options.warmup: .* less than 1, got 3"),
        ("train_options", {"steps": 3}, "train_options.steps cannot be given: it has a field of its own"),
        ("compute", {"parallel": "pipeline"}, "'ddp' or 'fsdp'"),
        ("min_workers", 2, "min_workers 2 is more than workers 1; take fewer"),
        ("max_preemption_failures", -2, "greater than or equal to -1"),
    ],
)
def test_wrong_fields_are_named(field: str, value: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        config(**{field: value})


def test_batches_that_depend_on_the_number_of_workers_want_a_fixed_one() -> None:
    with pytest.raises(ValueError, match=r"min_workers 1 with loader\.kind 'streaming' cannot be"):
        config(executor="ray", workers=2, min_workers=1, loader={"kind": "streaming"})


def test_a_store_that_takes_no_checkpoint_ends_no_training(
    local_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pipelines.pretrain.records.background_writer.RETRY_SECONDS", (0.01,))
    blocked = Path(local_store.uri) / "models/m0/checkpoints/step-00000020"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the checkpoint's folder should be")
    pretrain(config(steps=50), local_store)
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith(f"{local_store.address('models/m0/checkpoints/step-00000020')} was not written (")
    rows = read_curve(ModelHandle(local_store, "m0"), last_step=50).rows
    failures = {row["step"]: row["value"] for row in rows if row["metric"] == "checkpoint_failures"}
    assert failures[20] == 0.0 and failures[50] == 1.0  # that of step 40 was written


@pytest.mark.s3
def test_on_s3_the_weights_are_those_of_a_local_folder(local_store: Store, s3: str) -> None:
    remote = open_store(s3)
    small_dataset(remote, name="d0", steps=40)
    pretrain(config(steps=4), remote)
    pretrain(config(steps=4), local_store)
    assert stored_weights(remote, "m0") == stored_weights(local_store, "m0")


def test_the_configuration_is_plain_json(local_store: Store) -> None:
    pretrain(config(steps=3), local_store)
    document = json.loads(local_store.read("models/m0/config.json"))
    assert document["recipe"]["objective"] == "lewm"
    assert document["dataset"] == "d0"


def test_options_go_over_the_recipe_s_own_objective_and_no_other() -> None:
    recipe = config(objective_options={"hold": "0.1", "sigreg": {"knots": "9"}}).resolve(32, 2)
    options = recipe.objective_options
    assert (options["hold"], options["sigreg"]["knots"], options["sigreg"]["directions"]) == (0.1, 9, 32)
    other = config(objective="lejepa", objective_options={"sigreg_weight": 0.2}).resolve(32, 2)
    assert (other.objective_options["sigreg_weight"], other.objective_options["sigreg"]["directions"]) == (0.2, 256)


def test_sizes_and_training_are_changed_field_by_field() -> None:
    asked = config(
        recipe="lewm-tiny",
        model_options={"encoder": "vit", "encoder_options": {"patch_size": "8"}, "latent_size": "12", "history": 2},
        train_options={"horizon": 2, "weight_decay": 0.0},
    )
    recipe = asked.resolve(32, 2)
    assert (recipe.model.encoder, recipe.model.encoder_options["patch_size"], recipe.model.latent_size) == (
        "vit",
        8,
        12,
    )
    assert "channels" not in recipe.model.encoder_options  # those were another encoder's
    assert recipe.model.history == 2 and recipe.model.image_size == 32
    base = config(recipe="lewm-tiny").resolve(32, 2)
    assert (recipe.train.horizon, recipe.train.weight_decay, recipe.train.warmup) == (2, 0.0, base.train.warmup)
    narrow = config(recipe="smoke", model_options={"predictor_options": {"heads": 1}}).resolve(32, 2)
    assert (narrow.model.predictor_options["heads"], narrow.model.predictor_options["width"]) == (1, 32)
    assert narrow.model.encoder_options["channels"] == [8, 16, 16]


def test_a_predictor_may_be_named_as_it_was_before(caplog: pytest.LogCaptureFixture) -> None:
    said = "predictor.form is called predictor now, and the other fields of predictor predictor_options.*"
    narrow = config(recipe="smoke", model_options={"predictor": {"depth": "2"}})
    assert list(narrow.model_options or {}) == ["predictor_options"] and said in caplog.text
    options = narrow.resolve(32, 2).model.predictor_options
    assert (options["depth"], options["width"]) == (2, 32)
    paper = config(recipe="lewm-tiny", model_options={"predictor": {"form": "paper", "depth": 1}}).resolve(32, 2).model
    assert (paper.predictor, paper.predictor_options["depth"]) == (
        "paper",
        1,
    ) and "width" not in paper.predictor_options
    with pytest.raises(ValueError, match=r"predictor\.\* are old names .* and both are given"):
        config(model_options={"predictor": {"depth": 2}, "predictor_options": {"heads": 1}})


def train_shares(rank: int, store_uri: str) -> dict[str, Tensor]:
    shared = config(steps=6, precision="fp64", train_options={"checkpoint_every": 2}, compute={"parallel": "fsdp"})
    train_worker(plan_training(shared, open_store(store_uri), run="r0"))
    return {}


@pytest.mark.slow
def test_a_model_trained_in_shares_is_the_whole_one(local_store: Store, tmp_path: Path) -> None:
    shutil.copytree(local_store.uri, tmp_path / "alone")
    alone = open_store(str(tmp_path / "alone"))
    run_in_processes(train_shares, 2, local_store.uri)
    pretrain(config(steps=6, precision="fp64", train_options={"checkpoint_every": 2}), alone)
    (manifest, model), (expected, whole) = read_model(local_store, "m0"), read_model(alone, "m0")
    assert manifest.parameters == expected.parameters and manifest.request == expected.request
    for name, tensor in model.state_dict().items():
        assert torch.allclose(tensor, whole.state_dict()[name], atol=1e-6), name


def test_a_predictor_is_refitted_on_the_frozen_encoder_of_another_model(local_store: Store, tmp_path: Path) -> None:
    pretrain(config(steps=3), local_store)
    weights = tmp_path / "m0.safetensors"
    weights.write_bytes(stored_weights(local_store, "m0"))
    options = {"weights": str(weights)}
    pretrain(config(name="m1", steps=3, objective="frozen", objective_options=options), local_store)
    weights.unlink()  # a finished model needs it no more
    (_, first), (_, second) = read_model(local_store, "m0"), read_model(local_store, "m1")
    for name, tensor in second.state_dict().items():
        kept = name.startswith(("encoder.", "projector.", "action_mean", "action_std"))
        assert not kept or torch.equal(tensor, first.state_dict()[name]), name
    change = "predictor.change.weight"
    assert not torch.equal(second.get_parameter(change), first.get_parameter(change))


def test_a_worker_can_be_called_by_hand(local_store: Store) -> None:
    seen: list[int] = []
    for _ in range(2):  # a worker group that is started again after the commit does nothing
        train_worker(plan_training(config(steps=10), local_store, run="r0"), lambda step, _: seen.append(step))
        assert seen == [1, 5, 10]
    manifest = find_model(local_store, "m0")
    assert manifest is not None and manifest.run == "r0"
