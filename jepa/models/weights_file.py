"""A file of weights, read safely: safetensors, or a `.pt` by torch's restricted loader, which runs no code of it."""

import io
import warnings
from collections.abc import Mapping

import torch
from safetensors.torch import load
from torch import Tensor

from jepa.core.errors import InputError


def read_tensors(data: bytes) -> dict[str, Tensor]:
    """Returns the state dict that a `.pt` or safetensors file holds, on the CPU.

    Raises:
        InputError: the file is neither, or would have to run code to be read.
    """
    try:
        # A safetensors file opens with its header's length in 8 bytes, and the header is JSON.
        safe = data[8:9] == b"{"
        with warnings.catch_warnings(action="ignore"):  # torch's advice on a foreign file is for its developers
            held = load(data) if safe else torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader of foreign bytes fails in as many ways as there are bytes
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"not released weights that can be read safely ({reason}); save a state dict with torch.save or safetensors"
        ) from error
    if isinstance(held, Mapping) and isinstance(held.get("state_dict"), Mapping):
        held = held["state_dict"]
    if not isinstance(held, Mapping) or not all(isinstance(tensor, Tensor) for tensor in held.values()):
        raise InputError("the file holds no state dict, which maps names to tensors; save model.state_dict()")
    return {str(name): tensor for name, tensor in held.items()}
