"""Activation checkpointing: values, gradients, draws and running statistics are those of a plain pass."""

import torch
from torch import Tensor, nn

from jepa.models.layers.batch_norm import GlobalBatchNorm
from jepa.models.layers.dropout import GlobalDropout
from jepa.models.layers.recompute import recompute_each, recomputed
from tests.jepa.models.test_world_model import draws


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), GlobalBatchNorm(8), nn.GELU(), GlobalDropout(0.5), nn.Linear(8, 2))


def passed(net: nn.Sequential) -> dict[str, Tensor]:
    """Returns the output, the gradients and the buffers of a pass with fixed draws."""
    torch.manual_seed(1)
    y = net(draws(16, 4))
    y.square().sum().backward()
    gradients = {name: weight.grad for name, weight in net.named_parameters() if weight.grad is not None}
    return {"y": y.detach()} | gradients | dict(net.named_buffers())


def test_a_recomputed_pass_is_the_plain_one() -> None:
    plain, again = network().train(), network().train()
    recompute_each(again)
    assert list(again.state_dict()) == list(plain.state_dict())
    expected, found = passed(plain), passed(again)
    assert len(found) == 1 + 6 + 2 and all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert (expected["1.running_mean"] != 0).any(), "the statistics have moved, and once only"


def test_the_inside_is_computed_twice_where_there_is_a_gradient_and_once_elsewhere() -> None:
    calls = []

    def double(x: Tensor) -> Tensor:
        calls.append(len(x))
        return (2 * x).sin()

    x = draws(3, 2).requires_grad_()
    recomputed(double, x).sum().backward()
    assert calls == [3, 3] and x.grad is not None and torch.allclose(x.grad, 2 * (2 * x).cos())
    with torch.no_grad():
        assert torch.equal(recomputed(double, x), (2 * x).sin())
    assert calls == [3, 3, 3]


def test_a_module_recomputes_in_training_alone() -> None:
    class Counted(nn.Module):
        passes = 0

        def forward(self, x: Tensor) -> Tensor:
            self.passes += 1
            return (2 * x).sin()

    module, x = Counted(), draws(3, 2).requires_grad_()
    recompute_each([module])
    for training, passes in ((False, 1), (True, 2)):
        module.passes = 0
        module.train(training)(x).sum().backward()
        assert module.passes == passes
