"""A model as two files: `model.safetensors` and `config.json`. Nothing is pickled, so nothing can run on loading."""

import json

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from jepa.core.errors import InputError
from jepa.models.sizes import shapes_of
from jepa.models.weights_file import check_finite
from jepa.models.world_model import ModelConfig, WorldModel

MISSING = 1000
"""Tensors that a configuration may have beyond those of the weights, for the first one to be named."""


def save_model(model: WorldModel) -> tuple[bytes, str]:
    """Returns the weights as safetensors bytes, and the configuration as JSON text."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    return save(tensors), json.dumps(model.config.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"


def load_model(weights: bytes, config_json: str) -> WorldModel:
    """Returns the model on the CPU, in evaluation mode.

    Raises:
        InputError: the weights are not safetensors, the configuration is not a model's JSON, or they do not fit.
    """
    try:
        config = ModelConfig.model_validate_json(config_json)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the text"
        raise InputError(f"config.json is not a model's configuration: {field}: {first['msg']}") from error
    try:
        tensors = load(weights)
    except SafetensorError as error:
        raise InputError(f"model.safetensors is not a safetensors file ({error}); only that format is read") from error
    # Without memory at first: a configuration may have any sizes, and the weights are here.
    wanted = shapes_of(config, len(tensors) + MISSING)
    expected = {name: tensor.shape for name, tensor in wanted.items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise InputError(
                f"model.safetensors does not fit config.json: tensor {name!r} is {_described(found.get(name))} in the "
                f"file and {_described(expected.get(name))} in the configuration"
            )
    _check_types({name: tensor.dtype for name, tensor in wanted.items()}, tensors)
    check_finite("the weights of model.safetensors", tensors)
    model = WorldModel.from_config(config)
    model.load_state_dict(tensors)
    return model.eval()


def _check_types(expected: dict[str, torch.dtype], tensors: dict[str, torch.Tensor]) -> None:
    """Passes where all weights are of single precision, or all of double, and all else is of the model's type."""
    double = any(tensor.dtype == torch.float64 for tensor in tensors.values())
    for name, tensor in tensors.items():
        wanted = torch.float64 if double and expected[name].is_floating_point else expected[name]
        if tensor.dtype != wanted:
            raise InputError(
                f"model.safetensors holds tensor {name!r} as {tensor.dtype} and not as {wanted}; "
                "weights of another type would be other weights"
            )


def _described(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else f"of shape {tuple(shape)}"
