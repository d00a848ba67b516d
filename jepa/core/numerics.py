"""Which floating-point type a figure is kept in."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """Returns x in single precision where it came in half; latents, losses and statistics need more than 8 or 11 bits.

    A model in double precision, which shows that two ways of computing a step are one, stays in it.
    """
    return x if x.dtype == torch.float64 else x.float()
