"""Floating-point types of a step: single, half with its loss scale, double."""

from collections.abc import Mapping
from typing import Any

import torch

from jepa.training.config import Precision as Precision

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def half_of(precision: Precision, device: torch.device) -> torch.dtype | None:
    """Returns the half-precision type of matrix products and convolutions; None where they take that of the weights."""
    if precision == "auto":
        precision = "bf16" if has_bf16(device) else "fp32"
    return HALVES.get(precision)


def has_bf16(device: torch.device) -> bool:
    """Returns whether the device has instructions for bfloat16; emulated, it is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Older torch cannot say what the CPU has; float32 is right everywhere.
    capabilities: Mapping[str, Any] = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16", False))


class LossScale:
    """Scales losses so that half-precision gradients do not vanish (Micikevicius et al. 2018, arXiv:1710.03740).

    Only float16 needs it; torch's GradScaler does the work. A step whose gradients overflow is skipped, and the next is
    scaled less.
    """

    def __init__(self, half: torch.dtype | None, device: torch.device) -> None:
        self.scaler = torch.amp.GradScaler(device.type, enabled=half == torch.float16)

    def backward(self, loss: torch.Tensor) -> None:
        """Back-propagates the scaled loss."""
        self.scaler.scale(loss).backward()

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Divides the gradients by the loss scale."""
        self.scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Lets the optimiser step, unless a gradient is not finite."""
        self.scaler.step(optimizer)
        self.scaler.update()

    @property
    def skips(self) -> bool:
        """Whether a step whose gradients are not finite is skipped rather than a failure."""
        return self.scaler.is_enabled() and self.scaler.get_scale() >= 1.0

    def state(self) -> dict[str, Any]:
        """Returns what the next step depends on; empty where nothing is scaled."""
        return self.scaler.state_dict()

    def load(self, state: Mapping[str, Any]) -> None:
        """Continues from a state."""
        if self.scaler.is_enabled() and state:
            self.scaler.load_state_dict(dict(state))
