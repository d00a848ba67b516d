"""Strided convolutions as products: outputs and gradients are those of the convolution, as near as oneDNN's own."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from jepa.models.layers import strided_conv
from jepa.models.layers.channels_last import FlattenedChannels
from jepa.models.layers.linear import prefers_onednn
from jepa.models.layers.strided_conv import StridedConv, _AsProducts

SHAPES = [(5, 3, 8, 8, 4), (2, 4, 7, 9, 3), (3, 2, 1, 1, 5), (300, 16, 6, 4, 8)]


def frames(*shape: int) -> Tensor:
    """Returns random frames (N, C, H, W) in torch's layout channels_last."""
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    return drawn.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("count", "channels", "height", "width", "outputs"), SHAPES)
def test_in_double_precision_they_are_one(
    count: int, channels: int, height: int, width: int, outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strided_conv, "CACHED_BYTES", 20_000)  # several parts, the last one smaller
    x = frames(count, channels, height, width).double().requires_grad_()
    weight = torch.randn(outputs, channels, 3, 3, dtype=torch.float64, requires_grad=True)
    results = []
    for convolve in (_AsProducts.apply, lambda x, w: F.conv2d(x, w, stride=2, padding=1)):
        y = convolve(x, weight)
        results.append((y, *torch.autograd.grad(y.sin().sum(), (x, weight))))
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.skipif(not prefers_onednn(), reason="this processor takes torch's own convolution")
def test_in_half_precision_it_is_as_near_as_torchs_own() -> None:
    layer, x = StridedConv(32, 64), frames(64, 32, 16, 16).to(torch.bfloat16)
    assert list(layer.state_dict()) == ["weight"]
    errors = []
    weight = layer.weight.detach().to(torch.bfloat16).double().requires_grad_()
    exact_x = x.double().requires_grad_()
    F.conv2d(exact_x, weight, stride=2, padding=1).square().sum().backward()
    for convolve in (layer, lambda x: F.conv2d(x, layer.weight, stride=2, padding=1)):
        layer.weight.grad, half_x = None, x.detach().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            y = convolve(half_x)
        assert ("Products" in str(y.grad_fn)) == (convolve is layer)
        y.float().square().sum().backward()
        pairs = ((half_x.grad, exact_x.grad), (layer.weight.grad, weight.grad))
        errors.append([float((a.double() - b).norm() / b.norm()) for a, b in pairs if a is not None and b is not None])
    (ours_x, ours_weight), (theirs_x, theirs_weight) = errors
    assert ours_x < 1.01 * theirs_x
    assert ours_weight < 1.01 * theirs_weight


def test_a_row_of_features_sends_back_a_gradient_in_the_layout_of_the_grid() -> None:
    grid = frames(3, 4, 2, 5).requires_grad_()
    row = FlattenedChannels()(grid)
    torch.testing.assert_close(row, grid.flatten(1), rtol=0, atol=0)
    sent = torch.randn(row.shape)
    (gradient,) = torch.autograd.grad(row, grid, sent)
    torch.testing.assert_close(gradient, sent.view(grid.shape), rtol=0, atol=0)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    contiguous = torch.randn(2, 3, 4, 4, requires_grad=True)
    assert torch.autograd.gradcheck(FlattenedChannels(), (contiguous.double(),))
