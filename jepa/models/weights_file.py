"""A file of weights, read safely: safetensors, or a `.pt` by torch's restricted loader, which runs no code of it."""

import io
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from jepa.core.errors import InputError


def read_tensors(data: bytes) -> dict[str, Tensor]:
    """Returns the state dict that a `.pt` or safetensors file holds, on the CPU.

    Raises:
        InputError: the file is neither, would have to run code to be read, or holds a tensor that is larger than the
            file, or not finite.
    """
    try:
        # A safetensors file opens with its header's length in 8 bytes, and the header is JSON.
        safe = data[8:9] == b"{"
        with warnings.catch_warnings(action="ignore"):  # torch's advice on a foreign file is for its developers
            if not safe:
                _check_not_packed(data)
            held = load(data) if safe else torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except InputError:
        raise
    except Exception as error:  # torch's reader of foreign bytes fails in as many ways as there are bytes
        raise InputError(f"not released weights that can be read safely: {_reason(error)}") from error
    held = _unpacked(held)
    if not isinstance(held, Mapping) or not all(isinstance(tensor, Tensor) for tensor in held.values()):
        raise InputError("the file holds no state dict, which maps names to tensors; save model.state_dict()")
    tensors = {str(name): tensor for name, tensor in held.items()}
    for name, tensor in tensors.items():
        _check_held(name, tensor, len(data))
    check_finite("the weights", tensors)
    return tensors


def check_finite(what: str, tensors: dict[str, Tensor]) -> None:
    """Passes where every number of every tensor is finite.

    Args:
        what: names the weights in the message.
        tensors: by name.

    Raises:
        InputError: one is not; the message names its tensor.
    """
    for name, tensor in tensors.items():
        if not (tensor.is_floating_point() or tensor.is_complex()):
            continue
        values = tensor.float() if tensor.itemsize == 1 else tensor  # eight-bit floats know no such question
        if not bool(values.isfinite().all()):
            raise InputError(f"{what} hold values in tensor {name!r} that are not finite; take other weights")


def _check_not_packed(data: bytes) -> None:
    """Passes where a zip of torch.save is not compressed, as torch never does: a few bytes could become any number."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > len(data):
        raise InputError(f"the weights are compressed: {len(data)} bytes become {unpacked}; save them by torch.save")


def _check_held(name: str, tensor: Tensor, size: int) -> None:
    """Passes where a tensor's values are all in the file: a view may repeat one of them a billion times."""
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized:
        raise InputError(f"tensor {name!r} of the weights is {_kind(tensor)}; save it as a plain tensor")
    asked, stored = tensor.numel() * tensor.itemsize, min(size, tensor.untyped_storage().nbytes())
    if asked > stored:
        raise InputError(
            f"tensor {name!r} of the weights is of shape {tuple(tensor.shape)}, which takes {asked} bytes, and the "
            f"file holds {stored} for it; save it by .contiguous()"
        )


def _kind(tensor: Tensor) -> str:
    if tensor.layout != torch.strided:
        return f"of layout {tensor.layout}"
    return "without values" if tensor.is_meta else "quantized"


def under_prefix(tensors: Mapping[str, Tensor], marker: str, prefix: str | None = None) -> dict[str, Tensor] | None:
    """Returns the tensors of the one model of a layout in a file, their names freed of a prefix; None if there is none.

    Args:
        tensors: all of the file.
        marker: a tensor's name in that layout; what stands before it is a prefix.
        prefix: the one to take, where several models are there.

    Raises:
        InputError: there are several and none is chosen, or the chosen one is not there.
    """
    found = sorted({name.removesuffix(marker) for name in tensors if name.endswith(marker)})
    found = [one for one in found if not one or one.endswith((".", "/"))]
    if not found:
        return None
    listed = " and ".join(repr(one) for one in found)
    if prefix is None and len(found) > 1:
        raise InputError(
            f"it holds {len(found)} models, whose tensors' names begin with {listed}; choose one by prefix"
        )
    if prefix is not None and prefix not in found:
        raise InputError(f"prefix {prefix!r} is that of no model in it; choose one of: {listed}")
    chosen = found[0] if prefix is None else prefix
    # A plain state dict has no prefix, and then everything begins with it, the other models too.
    others = tuple(one for one in found if one != chosen and one.startswith(chosen))
    return {
        name.removeprefix(chosen): tensor
        for name, tensor in tensors.items()
        if name.startswith(chosen) and not name.startswith(others)
    }


def _unpacked(held: object) -> object:
    """Returns the state dict within what was saved; of several, all, each under its key and a dot."""
    if not isinstance(held, Mapping):
        return held
    inner = {key: part for key, part in held.items() if isinstance(part, Mapping) and _is_state_dict(part)}
    if len(inner) == 1:
        return next(iter(inner.values()))
    return {f"{key}.{name}": tensor for key, part in inner.items() for name, tensor in part.items()} or held


def _is_state_dict(part: Mapping[object, object]) -> bool:
    return bool(part) and all(isinstance(tensor, Tensor) for tensor in part.values())


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
