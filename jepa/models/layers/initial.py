"""Initial values of a layer's weights."""

import torch
from torch import Tensor


def drawn_normal(*shape: int, spread: float = 1.0) -> Tensor:
    """Returns `torch.randn(shape) * spread`, of the global generator; on the meta device nothing is drawn.

    There torch's own functions for it are written in Python and import its compiler: a second and more of every process
    that reads a model, for its shapes are found on that device.
    """
    x = torch.empty(shape)
    return x if x.is_meta else x.normal_() * spread
