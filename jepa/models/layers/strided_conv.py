"""A 3×3 convolution of stride 2 that an AMD CPU with bfloat16 trains by matrix products.

oneDNN's own backward pass of a strided convolution reaches 160-220 billion operations a second on one core of AMD's
Zen 5, and its matrix products 300-400. As products: the 3×3 windows of the input are rows, y = windows · W and
dW = dyᵀ · windows. For dx no product is scattered: an input pixel in an even row and column is seen by one window, by
its centre; in odd ones by the windows on both sides. With dy's four neighbours of each place gathered as rows, each of
the four kinds of pixels is one product.

Shapes: N frames, C channels in, O out, H × W pixels in, I × J out (half as many, rounded up), R = N·I·J rows.
"""

from typing import Any

import torch
from torch import Tensor, nn

from jepa.core.numerics import at_least_float32
from jepa.models.layers.linear import prefers_onednn

CACHED_BYTES = 4 * 2**20
"""Windows that are gathered and multiplied at once, so that they come from the cache."""
FEWEST_CHANNELS = 32
"""With fewer, gathering takes longer than products save."""


class StridedConv(nn.Conv2d):
    """nn.Conv2d with a 3×3 kernel, stride 2, padding 1 and no bias: weights and, to rounding, results alike."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, stride=2, padding=1, bias=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Returns (N, O, I, J)."""
        if self.in_channels < FEWEST_CHANNELS or not _products_are_faster(x_NCHW):
            return super().forward(x_NCHW)
        y_NOIJ: Tensor = _AsProducts.apply(x_NCHW, self.weight)
        return y_NOIJ


def _products_are_faster(x: Tensor) -> bool:
    """Returns whether a gradient in bfloat16 is to come, on a CPU on which products were measured to be faster."""
    if x.device.type != "cpu" or x.dtype != torch.bfloat16 or not torch.is_grad_enabled() or not x.numel():
        return False
    return torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling() and prefers_onednn()


class _AsProducts(torch.autograd.Function):
    """Products of bfloat16 with sums in float32, as in oneDNN's convolutions; the windows are kept for the gradient."""

    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor, weight_OCKK: Tensor) -> Tensor:
        x_NHWC = x_NCHW.permute(0, 2, 3, 1)
        weight_KKCO = weight_OCKK.to(x_NCHW.dtype).permute(2, 3, 1, 0).contiguous()
        frames, height, width, channels = x_NHWC.shape
        rows, columns = (height + 1) // 2, (width + 1) // 2
        windows = x_NHWC.new_empty(frames, rows, columns, 3, 3, channels)
        y_NIJO = x_NHWC.new_empty(frames, rows, columns, len(weight_OCKK))
        at_once = _frames_at_once(windows)
        padded = x_NHWC.new_zeros(min(at_once, frames), height + 2, width + 2, channels)
        for x_nHWC, windows_n, y_nIJO in zip(
            x_NHWC.split(at_once), windows.split(at_once), y_NIJO.split(at_once), strict=True
        ):
            part = padded[: len(x_nHWC)]
            part[:, 1:-1, 1:-1] = x_nHWC
            windows_n.copy_(_windows(part, rows, columns))
            torch.mm(_as_rows(windows_n), weight_KKCO.flatten(0, 2), out=y_nIJO.flatten(0, 2))
        ctx.save_for_backward(windows, weight_KKCO)
        ctx.sides = height, width
        return y_NIJO.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:
        windows, weight_KKCO = ctx.saved_tensors
        dy_NIJO = grads[0].permute(0, 2, 3, 1).contiguous()
        need_x, need_weight = ctx.needs_input_grad
        dx = _input_gradient(dy_NIJO, weight_KKCO, *ctx.sides).permute(0, 3, 1, 2) if need_x else None
        return dx, _weight_gradient(dy_NIJO, windows) if need_weight else None


def _weight_gradient(dy_NIJO: Tensor, windows: Tensor) -> Tensor:
    """Returns dW (O, C, 3, 3), in float32: the sum over parts of the batch of dyᵀ · windows."""
    at_once, shape = _frames_at_once(windows), windows.shape[3:]
    sum_OX = at_least_float32(dy_NIJO.new_zeros(dy_NIJO.shape[-1], shape.numel()))
    for dy_nIJO, windows_n in zip(dy_NIJO.split(at_once), windows.split(at_once), strict=True):
        sum_OX += dy_nIJO.flatten(0, 2).T @ _as_rows(windows_n)
    dw_OCKK: Tensor = sum_OX.unflatten(1, shape).permute(0, 3, 1, 2)
    return dw_OCKK


def _input_gradient(dy_NIJO: Tensor, weight_KKCO: Tensor, height: int, width: int) -> Tensor:
    """Returns dx (N, H, W, C).

    Window (i, j) sees pixel (2i + k - 1, 2j + l - 1) by weight (k, l), so dx at (2a + p, 2b + q) sums over those of the
    windows a, a + 1 and b, b + 1 that see it: k = 1 for p = 0; k = 2 of window a and 0 of window a + 1 for p = 1.
    """
    frames, rows, columns, outputs = dy_NIJO.shape
    w_KKOC = weight_KKCO.transpose(2, 3)
    # The four windows in an order in which those of each kind of pixel are neighbours: (1, 0), (0, 0), (0, 1), (1, 1).
    kinds = (
        ((0, 0), slice(1, 2), w_KKOC[1, 1]),
        ((0, 1), slice(1, 3), torch.cat([w_KKOC[1, 2], w_KKOC[1, 0]])),
        ((1, 0), slice(0, 2), torch.cat([w_KKOC[0, 1], w_KKOC[2, 1]])),
        ((1, 1), slice(0, 4), torch.cat([w_KKOC[0, 2], w_KKOC[2, 2], w_KKOC[2, 0], w_KKOC[0, 0]])),
    )
    dx = dy_NIJO.new_empty(frames, rows, 2, columns, 2, weight_KKCO.shape[2])
    at_once = max(1, _frames_at_once(dy_NIJO) // 4)
    gathered = dy_NIJO.new_zeros(min(at_once, frames), rows, columns, 4, outputs)
    for dy, part in zip(dy_NIJO.split(at_once), dx.split(at_once), strict=True):
        near = gathered[: len(dy)]
        near[:, :-1, :, 0] = dy[:, 1:]
        near[:, :, :, 1] = dy
        near[:, :, :-1, 2] = dy[:, :, 1:]
        near[:, :-1, :-1, 3] = dy[:, 1:, 1:]
        near_RX = near.view(-1, 4 * outputs)
        for (row, column), of, weight in kinds:
            product = near_RX[:, of.start * outputs : of.stop * outputs] @ weight
            part[:, :, row, :, column] = product.view(len(dy), rows, columns, -1)
    return dx.view(frames, 2 * rows, 2 * columns, -1)[:, :height, :width]


def _windows(x_NHWC: Tensor, rows: int, columns: int) -> Tensor:
    """Returns a view (N, I, J, 3, 3, C) of padded frames: the pixels that each window sees."""
    frames, _, _, channels = x_NHWC.shape
    of_frame, of_row, of_pixel, of_channel = x_NHWC.stride()
    strides = (of_frame, 2 * of_row, 2 * of_pixel, of_row, of_pixel, of_channel)
    return x_NHWC.as_strided((frames, rows, columns, 3, 3, channels), strides)


def _as_rows(windows: Tensor) -> Tensor:
    """Returns (R, 9 · C)."""
    return windows.flatten(3).flatten(0, 2)


def _frames_at_once(x: Tensor) -> int:
    return max(1, CACHED_BYTES // (x[0].numel() * x.element_size()))
