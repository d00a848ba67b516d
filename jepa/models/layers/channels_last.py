"""Features of a grid in a row, with a gradient in the layout of the convolutions before it.

Shapes: N frames, C channels, H × W places.
"""

from typing import Any

import torch
from torch import Tensor, nn


class FlattenedChannels(nn.Module):
    """nn.Flatten, to the bit; its gradient has the layout of what went in.

    The convolutions of an encoder work in torch's layout channels_last, and a row of features is in the other one.
    Handed on as it comes, a gradient in another layout than the activations makes elementwise kernels on a CPU take one
    value at a time: ReLU's takes a twelfth of a training step of the small encoder.
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Returns (N, C · H · W)."""
        row_NF: Tensor = _Flatten.apply(x_NCHW)
        return row_NF


class _Flatten(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor) -> Tensor:
        ctx.shape = x_NCHW.shape
        last = x_NCHW.is_contiguous(memory_format=torch.channels_last)
        ctx.layout = torch.channels_last if last else torch.contiguous_format
        return x_NCHW.clone(memory_format=torch.contiguous_format).flatten(1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0].view(ctx.shape).contiguous(memory_format=ctx.layout)
