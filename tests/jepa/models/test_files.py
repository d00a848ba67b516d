"""Model files: a round trip, and files that are not what they claim to be."""

import pickle
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from jepa.core.errors import InputError
from jepa.models.files import load_model, save_model
from tests.jepa.models.test_world_model import SMALL_VIT, draws, make_model, shake


@pytest.mark.parametrize("fields", [{}, SMALL_VIT], ids=["conv", "vit"])
def test_a_saved_model_comes_back_the_same(fields: dict[str, Any]) -> None:
    model = shake(make_model(2, **fields))
    model.set_action_statistics([0.1, 0.2], [0.3, 0.4])
    model.train().encode(torch.randint(0, 256, (4, 2, 32, 32, 3), dtype=torch.uint8))
    model.eval()
    again = load_model(*save_model(model))
    pixels = torch.randint(0, 256, (2, 2, 32, 32, 3), dtype=torch.uint8)
    assert again.config == model.config and not again.training
    assert torch.equal(again.encode(pixels), model.encode(pixels))
    z, a = draws(2, 2, 6), draws(2, 2, 4, 2)
    assert torch.equal(again.predict(z, a), model.predict(z, a))


class Boom:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was run",))


def test_weights_that_are_not_safetensors_are_refused_and_not_run() -> None:
    _, config = save_model(make_model())
    for data in (pickle.dumps(Boom()), b"", b"\x00" * 64):
        with pytest.raises(InputError, match="not a safetensors file"):
            load_model(data, config)


def test_configurations_that_are_not_a_models_are_refused() -> None:
    weights, config = save_model(make_model())
    with pytest.raises(InputError, match="not a model's configuration"):
        load_model(weights, config[:-10])
    with pytest.raises(InputError, match="teacher"):
        load_model(weights, config.replace("{", '{"teacher": 1,', 1))


def test_weights_of_another_model_are_refused_by_name() -> None:
    weights, config = save_model(make_model())
    with pytest.raises(InputError, match=r"'predictor.change.bias' is of shape \(6,\) in the file and .* \(7,\)"):
        load_model(weights, config.replace('"latent_size": 6', '"latent_size": 7'))
    tensors = load(weights)
    del tensors["action_mean"]
    with pytest.raises(InputError, match="'action_mean' is absent in the file"):
        load_model(save(tensors), config)
