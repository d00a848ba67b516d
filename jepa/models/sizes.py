"""Whether a model may be built: its shapes are found without memory, and without more modules than there may be."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from jepa.core.errors import InputError
from jepa.models.world_model import ModelConfig, WorldModel

MODULES_PER_TENSOR = 8
"""Modules that a model has at most for each of its tensors: activations, dropouts and containers have none."""
SPARE = 256
MOST_TENSORS = 50_000
"""Of a model that is to be trained; the largest published ones have a few thousand."""
MOST_BYTES = 2**40
"""Of its weights: a thousand times the largest world model that is trained on one machine."""


def check_bytes(model: WorldModel) -> None:
    """Passes where a model's weights are not larger than any machine holds.

    Raises:
        InputError: they are.
    """
    needed = sum(tensor.numel() * tensor.itemsize for tensor in model.state_dict().values())
    if needed > MOST_BYTES:
        raise InputError(
            f"the model's weights take {needed / 2**30:,.0f} GiB and at most {MOST_BYTES // 2**30} are possible; "
            "take smaller model_options"
        )


def shapes_of(config: ModelConfig, most_tensors: int) -> dict[str, Tensor]:
    """Returns the tensors of `meta_model` by name; raises as it does."""
    return dict(meta_model(config, most_tensors).state_dict())


def meta_model(config: ModelConfig, most_tensors: int = MOST_TENSORS) -> WorldModel:
    """Returns a configuration's model on the meta device, where it takes no memory.

    Args:
        config: the model's.
        most_tensors: that there may be; a model that has more is not built to its end.

    Raises:
        InputError: it has more, or sizes that no tensor can have.
    """
    try:
        with _bounded(most_tensors), torch.device("meta"):
            return WorldModel.from_config(config)
    except (RuntimeError, OverflowError, MemoryError) as error:
        raise InputError(f"the model's configuration has sizes that cannot be ({_first_line(error)})") from error


@contextmanager
def _bounded(most_tensors: int) -> Iterator[None]:
    """Counts what models built inside have, and ends the building of one that has too much."""
    left = {"tensors": most_tensors, "modules": MODULES_PER_TENSOR * most_tensors + SPARE}

    def count(kind: str) -> None:
        left[kind] -= 1
        if left[kind] < 0:
            raise InputError(f"the model's configuration has more than the {most_tensors} tensors that there may be")

    def on_module(module: nn.Module, name: str, inner: object) -> None:
        count("modules")

    def on_parameter(module: nn.Module, name: str, parameter: object) -> None:
        count("tensors")

    hooks = (
        register_module_module_registration_hook(on_module),
        register_module_parameter_registration_hook(on_parameter),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
