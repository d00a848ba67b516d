"""A file of weights, read safely: safetensors, or a `.pt` by torch's restricted loader, which runs no code of it."""

import io
import pickle
import re
import warnings
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
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
        raise InputError(f"not released weights that can be read safely: {_reason(error)}") from error
    if isinstance(held, Mapping) and isinstance(held.get("state_dict"), Mapping):
        held = held["state_dict"]
    if not isinstance(held, Mapping) or not all(isinstance(tensor, Tensor) for tensor in held.values()):
        raise InputError("the file holds no state dict, which maps names to tensors; save model.state_dict()")
    return {str(name): tensor for name, tensor in held.items()}


def _reason(error: Exception) -> str:
    """Returns what is wrong, in our words: torch's own advise to load it unsafely."""
    if isinstance(error, SafetensorError):
        return f"a damaged safetensors file ({error}); download it again"
    if isinstance(error, pickle.UnpicklingError):
        named = re.search(r"GLOBAL ([\w.]+) was not an allowed global", str(error))
        what = f"the file asks for {named[1]}" if named else "the file is a pickle of other things than tensors"
        return (
            f"{what}, so that loading it may run code of its own; ask its author for safetensors, or for "
            "torch.save(model.state_dict(), file)"
        )
    return "neither a safetensors file nor one that torch.save wrote, or a damaged one; download it again"
