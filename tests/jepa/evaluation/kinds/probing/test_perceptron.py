"""The perceptron's gradient and optimiser are those of autograd and of torch's Adam."""

import torch
from torch import nn

from jepa.evaluation.kinds.probing.perceptron import Perceptron


def test_gradient_and_steps_are_those_of_autograd_and_adam() -> None:
    own = Perceptron(5, 16, 3, torch.Generator().manual_seed(0))
    x_BD, y_BQ = torch.randn(64, 5), torch.randn(64, 3)
    layers = [nn.Linear(5, 16), nn.GELU(), nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 3)]
    network = nn.Sequential(*layers)
    nn.utils.vector_to_parameters(own.weights_W.clone(), network.parameters())
    torch.testing.assert_close(own(x_BD), network(x_BD))
    adam = torch.optim.Adam(network.parameters(), lr=1e-2)
    for rate in (1e-2, 5e-3, 1e-2):
        adam.param_groups[0]["lr"] = rate
        adam.zero_grad()
        nn.functional.mse_loss(network(x_BD), y_BQ).backward()
        expected_W = torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])
        torch.testing.assert_close(own.gradient(x_BD, y_BQ), expected_W, atol=1e-6, rtol=1e-4)
        adam.step()
        own.step(x_BD, y_BQ, rate)
        after_W = nn.utils.parameters_to_vector(network.parameters())
        torch.testing.assert_close(own.weights_W, after_W.detach(), atol=1e-5, rtol=1e-4)
