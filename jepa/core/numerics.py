"""Numbers on their way: which floating-point type a figure is kept in, and how values reach a device."""

import functools

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Returns x in single precision where it came in half; latents, losses and statistics need more than 8 or 11 bits.

    A model in double precision, which shows that two ways of computing a step are one, stays in it.
    """
    return x if x.dtype == torch.float64 else x.float()


@functools.lru_cache(maxsize=64)
def constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Returns fixed values as a tensor on a device, to be read only.

    It is copied there once a process: a copy from Python's numbers makes the host wait for all that the device has
    queued.
    """
    # Made in inference mode, it could not be used in training afterwards.
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)


def to_device(x: Tensor, device: torch.device) -> Tensor:
    """Returns a tensor of the host on a device, without waiting for what the device has queued."""
    # Only from pinned memory does a copy to a GPU run by itself; torch frees that memory after the copy.
    pinned = x.pin_memory() if device.type == "cuda" else x
    return pinned.to(device, non_blocking=True)
