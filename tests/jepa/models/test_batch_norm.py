"""Global BatchNorm: two gloo processes, with even and uneven parts, against torch's BatchNorm on the whole batch."""

import copy

import pytest
import torch
from torch import Tensor, nn

from jepa.models.layers.batch_norm import GlobalBatchNorm
from tests.jepa.training.gloo import part, run_in_processes
from tests.narrow import present

SHAPES = {"1d": (12, 5), "2d": (12, 5, 3, 4)}
PARTS = ((6, 6), (11, 1), (12, 0))


def batch(shape: tuple[int, ...]) -> Tensor:
    # A mean far from zero: E[x²] - E[x]² in single precision would be visibly off.
    return 30.0 + 2.0 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


def a_norm() -> GlobalBatchNorm:
    norm = GlobalBatchNorm(5)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, 5))
        norm.bias.copy_(torch.linspace(-1, 1, 5))
    return norm


def loss_of(y: Tensor, x: Tensor) -> Tensor:
    return (y * torch.sin(x.detach())).sum() + y.pow(3).sum()


def normalise(norm: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Returns output, gradients and running statistics after two steps."""
    for _ in range(2):
        norm.zero_grad()
        x = x.detach().clone().requires_grad_()
        y = norm(x)
        loss_of(y, x).backward()
    gradients = {name: parameter.grad for name, parameter in norm.named_parameters()} | {"x": x.grad}
    assert all(gradient is not None for gradient in gradients.values())
    return {"y": y, "mean": norm.running_mean, "var": norm.running_var} | gradients


def normalise_parts(rank: int) -> dict[str, Tensor]:
    return {
        f"{kind}/{sizes}/{name}": tensor
        for kind, shape in SHAPES.items()
        for sizes in PARTS
        for name, tensor in normalise(a_norm(), part(batch(shape), rank, sizes)).items()
    }


@pytest.mark.slow
def test_two_processes_equal_one_on_the_whole_batch() -> None:
    results = run_in_processes(normalise_parts, 2)
    for kind, shape in SHAPES.items():
        torch_norm = (nn.BatchNorm1d if kind == "1d" else nn.BatchNorm2d)(5)
        torch_norm.load_state_dict(a_norm().state_dict(), strict=False)
        expected = normalise(torch_norm, batch(shape))
        for sizes in PARTS:
            one, two = ({name: r[f"{kind}/{sizes}/{name}"] for name in expected} for r in results)
            assert torch.allclose(torch.cat([one["y"], two["y"]]), expected["y"], atol=2e-5)
            assert torch.allclose(torch.cat([one["x"], two["x"]]), expected["x"], rtol=1e-3, atol=1e-4)
            for name in ("weight", "bias"):
                assert torch.allclose(one[name] + two[name], expected[name], rtol=1e-4)
            for name in ("mean", "var"):
                assert torch.equal(one[name], two[name])
                assert torch.allclose(one[name], expected[name], rtol=1e-5)


@pytest.mark.parametrize("kind", SHAPES)
def test_one_process_is_torchs_own(kind: str) -> None:
    norm = a_norm()
    torch_norm = (nn.BatchNorm1d if kind == "1d" else nn.BatchNorm2d)(5)
    torch_norm.load_state_dict(copy.deepcopy(norm.state_dict()), strict=False)
    x = batch(SHAPES[kind])
    assert torch.equal(norm(x), torch_norm(x))
    assert torch.equal(norm.running_var, present(torch_norm.running_var))
    assert torch.equal(norm.eval()(x), torch_norm.eval()(x))
