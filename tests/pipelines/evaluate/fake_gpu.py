"""A device that is not the processor, made of it: tensors there hold their numbers, and refuse those that are here.

It bears the name `meta`, the one device that every build of torch knows and none computes on. Code that forgets to move
a tensor fails on it as it would on a GPU.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

GPU = torch.device("meta")


class OnGpu(torch.Tensor):
    """A tensor on the device; `held` has its numbers."""

    held: torch.Tensor
    # Torch asks for both of these, and types them otherwise in its own class.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "OnGpu":
        made: OnGpu = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=GPU,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return computed(func, args, kwargs or {})


class _Watched(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {})


def computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Returns what an operation gives, on the device of its arguments or on the one that it names.

    Raises:
        RuntimeError: its arguments are on two devices; a scalar may be anywhere.
    """
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    there = [tensor for tensor in tensors if isinstance(tensor, OnGpu)]
    target = None if kwargs.get("device") is None else torch.device(kwargs["device"])
    copies = func is torch.ops.aten.copy_.default
    if there and not copies and any(not isinstance(tensor, OnGpu) and tensor.dim() for tensor in tensors):
        raise RuntimeError(f"{func} got tensors of two devices")
    options = kwargs | ({"device": torch.device("cpu")} if target == GPU else {})
    result = func(*tree_map(_held, args), **tree_map(_held, options))
    if copies:
        return args[0]
    if target != GPU and (not there or target is not None):
        return result
    return tree_map(lambda value: _put(value, there), result)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, OnGpu) else value


def _put(value: Any, arguments: list[OnGpu]) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    # An operation in place returns its argument itself.
    for argument in arguments:
        if argument.held is value:
            return argument
    with torch.inference_mode(False):
        return OnGpu(value)


@contextlib.contextmanager
def fake_gpu() -> Iterator[torch.device]:
    """Gives the device for the time of a block."""
    make, enabled = torch.tensor, torch.is_autocast_enabled
    overwrites = torch.__future__.get_overwrite_module_params_on_conversion()
    with pytest.MonkeyPatch.context() as patch, _Watched():
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        # Torch makes these without asking anyone, and knows no half precision on this device.
        patch.setattr(torch, "tensor", lambda data, device="cpu", **given: make(data, **given).to(device))
        patch.setattr(torch, "is_autocast_enabled", lambda kind="cpu": kind != GPU.type and enabled(kind))
        patch.setattr(torch, "autocast", lambda *given, **options: contextlib.nullcontext())
        try:
            yield GPU
        finally:
            torch.__future__.set_overwrite_module_params_on_conversion(overwrites)
