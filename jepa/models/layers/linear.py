"""A linear layer that takes the faster of torch's two libraries for products in single precision on a CPU.

torch multiplies float32 by MKL, which leaves the AVX-512 units of AMD's processors unused, and bfloat16 by oneDNN, that
uses them. On one such core MKL reaches 100-110 and oneDNN 230-260 billion operations a second on a predictor's
products. oneDNN's product has no gradient, so it serves where none is asked for: planning, encoding, evaluation.
"""

from functools import cache

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """nn.Linear, weights and results alike, to rounding."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns (..., output size) of (..., input size)."""
        if not _takes_onednn(x, self.weight):
            return super().forward(x)
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return y


def _takes_onednn(x: Tensor, weight: Tensor) -> bool:
    """Returns whether a product is one that oneDNN does, and does faster."""
    if x.device.type != "cpu" or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
        return False
    return x.dtype == weight.dtype == torch.float32 and x.dim() > 1 and x.numel() > 0 and prefers_onednn()


@cache
def prefers_onednn() -> bool:
    """Returns whether this processor has vector units that MKL leaves unused."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    return bool(torch.cpu._is_avx512_supported()) and "AMD" in _processor()


def _processor() -> str:
    """Returns the processor's name; nothing where torch does not say it."""
    tell = getattr(torch.cpu, "get_capabilities", None)
    return str(tell().get("cpu_name", "")) if tell is not None else ""
