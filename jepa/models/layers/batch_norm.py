"""Batch normalisation over the global batch: several processes compute what one would on all their rows.

Shapes: N rows of this process, C channels; S spatial positions (none in 1d, H × W in 2d).
torch's SyncBatchNorm refuses CPU tensors, so gloo needs this one; with one process it is `F.batch_norm` at full speed.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from jepa.core.collectives import global_count, world_size
from jepa.core.numerics import at_least_float32


class GlobalBatchNorm(nn.Module):
    """BatchNorm whose statistics, gradients and running averages are those of all processes' rows together.

    The channel is dimension 1 of an input (N, C) or (N, C, H, W); processes may hold different numbers of rows.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Returns x normalised by the global batch's statistics when training, by the running ones otherwise.

        Raises:
            ValueError: one value a channel in the whole global batch has no spread.
        """
        momentum = 0.0 if _held else self.momentum
        if not self.training or world_size() == 1:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, self.training, momentum, self.eps
            )
        count = global_count(x.numel() // x.shape[1])
        if count < 2:
            raise ValueError(f"batch normalisation needs at least 2 values a channel in the global batch, got {count}")
        mean_C, var_C = global_moments(x, count)
        with torch.no_grad():
            self.running_mean.lerp_(mean_C, momentum)
            self.running_var.lerp_(var_C * count / (count - 1), momentum)
        y: Tensor = _Normalise.apply(x, self.weight, self.bias, mean_C, var_C, count, self.eps)
        return y


_held = False


@contextlib.contextmanager
def held_running_statistics() -> Iterator[None]:
    """Keeps every GlobalBatchNorm's running averages as they are: a batch that is computed twice counts once."""
    global _held
    before, _held = _held, True
    try:
        yield
    finally:
        _held = before


@torch.no_grad()
def global_moments(x: Tensor, total: int) -> tuple[Tensor, Tensor]:
    """Returns the mean (C,) and the biased variance (C,) over every process's rows, `total` values a channel together.

    Sums travel in float64: E[x²] - E[x]² would cancel in single precision.
    """
    sums = torch.zeros(2 * x.shape[1], dtype=torch.float64, device=x.device)
    if x.numel():
        # BatchNorm's own kernel: on a CPU it takes a twentieth of var_mean's time over the same dimensions.
        mean_C, var_C = (
            moment.double() for moment in torch.batch_norm_update_stats(at_least_float32(x), None, None, 0.0)
        )
        sums = torch.cat([mean_C, var_C + mean_C.square()]) * (x.numel() // x.shape[1])
    dist.all_reduce(sums)
    mean_C, square_C = (sums / total).chunk(2)
    var_C = (square_C - mean_C.square()).clamp_min(0)
    kept = at_least_float32(x[:0]).dtype
    return mean_C.to(kept), var_C.to(kept)


class _Normalise(torch.autograd.Function):
    """y = (x - mean) / std · weight + bias, where mean and std depend on every process's x.

    With x̂ = (x - mean) / std and N values a channel, the gradient of the sum of all processes' losses is
    dx = weight / std · (dy - Σ dy / N - x̂ · Σ(dy x̂) / N), both sums over all processes.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, count: int, eps: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, var)
        ctx.count, ctx.eps = count, eps
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (dy,) = grads
        x, weight, mean, var = ctx.saved_tensors
        # Half precision would round twice, and the two parts of dx nearly cancel.
        dy, x_float = at_least_float32(dy), at_least_float32(x)
        dx, dy_xhat_sum, dy_sum = torch.empty_like(x_float), torch.zeros_like(mean), torch.zeros_like(mean)
        if x.numel():  # torch's kernel divides by the number of rows
            # With the statistics held fixed: weight / std · dy, Σ dy x̂ and Σ dy, over this process's rows.
            dx, dy_xhat_sum, dy_sum = torch.ops.aten.native_batch_norm_backward(
                dy, x_float, weight, mean, var, None, None, False, ctx.eps, [True, True, True]
            )
        sums = torch.cat([dy_sum, dy_xhat_sum])
        dist.all_reduce(sums)
        mean_dy, mean_dy_xhat = (sums / ctx.count).chunk(2)
        inverse_std = (var + ctx.eps).rsqrt()
        scale = weight * inverse_std
        # What is left is affine in x, a channel's two constants: (x - mean) · slope + offset.
        slope, offset = -scale * inverse_std * mean_dy_xhat, -scale * mean_dy
        dx += F.batch_norm(x_float, mean, torch.ones_like(mean), slope, offset, False, 0.0, 0.0)
        # The parameters' gradients stay this process's own; DDP averages them as it does all others.
        return dx.to(x.dtype), dy_xhat_sum, dy_sum, None, None, None, None
