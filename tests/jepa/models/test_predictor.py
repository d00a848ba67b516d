"""The registry of predictors, one of another's, and the names that predictors had in models of before."""

import json
import logging
import tarfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load
from torch import Tensor, nn

from jepa.core.config import Config
from jepa.models.files import load_model, save_model
from jepa.models.predictors.predictor import PREDICTORS, Predictor, PredictorConfig
from jepa.models.predictors.stored import FIELDS
from jepa.models.world_model import ModelConfig, WorldModel
from tests.jepa.models.test_world_model import draws
from tests.narrow import submodule

STORE = Path(__file__).parents[2] / "fixtures" / "store_of_28e9d0a.tar.gz"
BEFORE = {
    "width": 12,
    "depth": 1,
    "heads": 2,
    "head_size": 4,
    "mlp_size": 16,
    "action_mlp_size": 128,
    "action_inner_size": None,
    "dropout": 0.0,
    "output": "change",
    "projector_size": 24,
}


class OuterConfig(PredictorConfig):
    """One size."""

    hidden: int = 8


class OuterPredictor(Predictor):
    """A perceptron on a latent and its action, embedded in the latent's size."""

    Config = OuterConfig

    def __init__(self, config: OuterConfig, latent_size: int, history: int, tokens: int = 1) -> None:
        super().__init__(config, latent_size, history, tokens)
        self.layers = nn.Sequential(
            nn.Linear(2 * latent_size, config.hidden), nn.Tanh(), nn.Linear(config.hidden, latent_size)
        )

    def forward(self, z_NLD: Tensor, action_NLE: Tensor) -> Tensor:
        change_NLD: Tensor = self.layers(torch.cat([z_NLD, action_NLE], dim=-1))
        return z_NLD + change_NLD


@pytest.fixture
def outer(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(PREDICTORS._entries, "outer", OuterPredictor)
    return "outer"


def test_another_predictor_is_named_sized_and_stored(outer: str) -> None:
    config = ModelConfig(latent_size=6, predictor=outer, predictor_options={"hidden": 5, "action_mlp_size": 7})
    model = WorldModel.from_config(config).eval()
    assert model.action_encoder.layers[1].out_features == 7
    assert submodule(model, "predictor.layers.0", nn.Linear).in_features == 12
    z, a = draws(2, 3, 6), draws(2, 3, 5, 2)
    assert model.predict(z, a).shape == z.shape and not torch.equal(model.predict(z, a), model.predict(z, 2 * a))
    assert torch.equal(load_model(*save_model(model)).predict(z, a), model.predict(z, a))
    with pytest.raises(ValueError, match=r"predictor_options\.hidden"):
        ModelConfig(predictor=outer, predictor_options={"hidden": "wide"})


@pytest.mark.parametrize("history", [1, 3])
def test_another_s_rollout_is_repeated_prediction(outer: str, history: int) -> None:
    model = WorldModel.from_config(ModelConfig(latent_size=6, history=history, predictor=outer)).eval()
    z, past, future = draws(2, 3, 6), draws(2, 2, 5, 2), draws(4, 4, 5, 2, seed=5)
    rolled = model.rollout(z, future, past)
    z, actions = z.repeat_interleave(2, 0), torch.cat([past.repeat_interleave(2, 0), future], 1)
    for step in range(4):
        z = torch.cat([z, model.predict(z, actions[:, : z.shape[1]])[:, -1:]], 1)
        torch.testing.assert_close(rolled[:, step], z[:, -1])


def test_a_config_is_that_of_its_class() -> None:
    for name in PREDICTORS:
        kind = PREDICTORS.get(name)
        assert issubclass(kind.Config, PredictorConfig) and issubclass(kind.Config, Config)
        options = ModelConfig(predictor=name).predictor_options
        assert set(options) == set(kind.Config.model_fields), "defaults are written out"


@pytest.mark.parametrize(
    ("form", "fields", "gone"),
    [
        ("lean", {}, set()),
        ("paper", {"width": 6, "output": "projector"}, {"width", "output"}),
        ("tokens", {}, {"output", "projector_size"}),
    ],
)
def test_a_stored_form_is_read_without_a_word(
    form: str, fields: dict[str, object], gone: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = BEFORE | fields | {"form": form}
    assert set(before) == FIELDS
    config = ModelConfig.model_validate({"latent_size": 6, "predictor": before})
    assert config.predictor == form
    assert config.predictor_options == {name: before[name] for name in FIELDS - gone - {"form"}}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert ModelConfig.model_validate(config.model_dump(mode="json")) == config


def test_a_model_of_earlier_code_keeps_its_tensors_by_name() -> None:
    with tarfile.open(STORE) as archive:
        weights, manifest = (
            archive.extractfile(f"./models/golden/{name}").read()  # type: ignore[union-attr]
            for name in ("model.safetensors", "config.json")
        )
    stored = json.loads(manifest)["recipe"]["model"]
    assert stored["predictor"]["form"] == "lean"
    model = load_model(weights, json.dumps(stored))
    assert (model.config.predictor, model.config.predictor_options["width"]) == ("lean", 32)
    tensors, ours = load(weights), model.state_dict()
    assert tensors.keys() == ours.keys()
    assert all(torch.equal(tensor.to(ours[name].dtype), ours[name]) for name, tensor in tensors.items())
