"""A stand-in for a GPU on a machine without one, and a record of what would make the host wait for it.

The stand-in is torch's `meta` device: every operation of a step is dispatched as a GPU's would be, and nothing is
computed. What torch lacks for it (autocast, the fused optimiser, a kernel of BatchNorm) is replaced.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

STAND_IN = torch.device("meta")
WAITING = {"_local_scalar_dense", "nonzero", "equal", "masked_select", "_unique2", "bincount", "_linalg_eigh"}
"""Operations whose result, or its shape, the host has to know."""


class Waits(TorchDispatchMode):
    """Records every operation for which the host would wait until the device has done all that is queued."""

    def __init__(self, device: str = STAND_IN.type) -> None:
        """Takes the kind of device that is watched."""
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.found: list[str] = []
        self._device = device

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if _waits(function, args, kwargs, self._device):
            self.found.append(str(function))
        return function(*args, **kwargs)


def _waits(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], device: str) -> bool:
    name = function.overloadpacket.__name__
    tensors = [value for value in args if isinstance(value, Tensor)]
    on_device = any(tensor.device.type == device for tensor in tensors)
    if name == "_to_copy":
        source, target = tensors[0].device.type, torch.device(kwargs.get("device") or tensors[0].device).type
        return _copy_waits(source, target, kwargs.get("non_blocking", False), device)
    if name == "copy_":
        source, target = tensors[1].device.type, tensors[0].device.type
        return _copy_waits(source, target, args[2] if len(args) > 2 else False, device)
    if name == "lift_fresh":  # a tensor made of Python's numbers, copied from the host where it is the device's
        return on_device and device != "cpu"
    if name in ("index", "index_put_"):
        return on_device and any(index is not None and index.dtype == torch.bool for index in args[1])
    return on_device and name in WAITING


def _copy_waits(source: str, target: str, non_blocking: bool, device: str) -> bool:
    return source != target and (source == device or not non_blocking)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a trainer on the stand-in take its steps."""
    plain = torch.optim.AdamW
    monkeypatch.setattr(torch, "autocast", lambda *args, **options: contextlib.nullcontext())
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: False)
    monkeypatch.setattr(torch, "batch_norm_update_stats", lambda x, *rest: (x.new_empty(x.shape[1]),) * 2)
    monkeypatch.setattr(torch.optim, "AdamW", lambda *args, fused, **options: plain(*args, foreach=False, **options))


class OtherProcesses:
    """Makes this process believe that it is the first of two, and records what it sends to the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clips: int) -> None:
        """The other process holds as many clips."""
        self.sent: list[str] = []
        self._clips = clips
        for name, value in (("is_initialized", True), ("get_world_size", 2), ("get_rank", 0)):
            monkeypatch.setattr(dist, name, lambda value=value: value)
        monkeypatch.setattr(dist, "get_backend_config", lambda: "cpu:gloo,cuda:nccl")
        monkeypatch.setattr(dist, "all_reduce", self._all_reduce)

    def _all_reduce(self, tensor: Tensor, group: Any = None, async_op: bool = False) -> Any:
        self.sent.append(tensor.device.type)
        if tensor.device.type == "cpu":
            tensor[tensor == 0] = self._clips
        return _Done() if async_op else None


class _Done:
    def wait(self) -> None:
        """Nothing is under way."""
