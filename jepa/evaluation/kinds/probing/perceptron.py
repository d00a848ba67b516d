"""A multi-layer perceptron with two hidden layers and Adam, its gradient written by hand.

At this size autograd and a general optimiser take longer than the products of matrices.
Shapes: B samples of a batch, D inputs, H hidden, Q outputs, W weights of all layers.
"""

import torch
from torch import Tensor
from torch.nn.functional import gelu

DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8
"""Adam's β₁, β₂ and ε (Kingma and Ba 2015)."""


class Perceptron:
    """y = W₃ gelu(W₂ gelu(W₁ x + b₁) + b₂) + b₃, which minimises the mean squared error."""

    def __init__(self, inputs: int, hidden: int, outputs: int, generator: torch.Generator) -> None:
        """Draws initial weights, uniform within 1/√inputs of each layer, from `generator` alone."""
        shapes = [(hidden, inputs), (hidden,), (hidden, hidden), (hidden,), (outputs, hidden), (outputs,)]
        sizes = [torch.Size(shape).numel() for shape in shapes]
        self.weights_W = torch.empty(sum(sizes))
        self._gradient_W = torch.empty(sum(sizes))
        self._mean_W, self._square_W = torch.zeros(sum(sizes)), torch.zeros(sum(sizes))
        self._steps = 0
        self._layers, self._gradients = (
            [part.view(shape) for part, shape in zip(values_W.split(sizes), shapes, strict=True)]
            for values_W in (self.weights_W, self._gradient_W)
        )
        for place, layer in enumerate(self._layers):
            bound = shapes[place - place % 2][1] ** -0.5
            layer.uniform_(-bound, bound, generator=generator)

    def __call__(self, x_BD: Tensor) -> Tensor:
        """Returns y, (B, Q)."""
        weight_HD, bias_H, weight_HH, second_bias_H, weight_QH, bias_Q = self._layers
        hidden_BH = gelu(torch.addmm(bias_H, x_BD, weight_HD.T))
        hidden_BH = gelu(torch.addmm(second_bias_H, hidden_BH, weight_HH.T))
        return torch.addmm(bias_Q, hidden_BH, weight_QH.T)

    def gradient(self, x_BD: Tensor, y_BQ: Tensor) -> Tensor:
        """Returns the gradient of the mean squared error with regard to all weights, (W,)."""
        weight_HD, bias_H, weight_HH, second_bias_H, weight_QH, bias_Q = self._layers
        to_weight_HD, to_bias_H, to_weight_HH, to_second_bias_H, to_weight_QH, to_bias_Q = self._gradients
        first_BH = torch.addmm(bias_H, x_BD, weight_HD.T)
        first_out_BH = gelu(first_BH)
        second_BH = torch.addmm(second_bias_H, first_out_BH, weight_HH.T)
        second_out_BH = gelu(second_BH)
        error_BQ = torch.addmm(bias_Q, second_out_BH, weight_QH.T).sub_(y_BQ).mul_(2 / y_BQ.numel())
        torch.mm(error_BQ.T, second_out_BH, out=to_weight_QH)
        torch.sum(error_BQ, 0, out=to_bias_Q)
        error_BH = torch.ops.aten.gelu_backward(error_BQ @ weight_QH, second_BH)
        torch.mm(error_BH.T, first_out_BH, out=to_weight_HH)
        torch.sum(error_BH, 0, out=to_second_bias_H)
        error_BH = torch.ops.aten.gelu_backward(error_BH @ weight_HH, first_BH)
        torch.mm(error_BH.T, x_BD, out=to_weight_HD)
        torch.sum(error_BH, 0, out=to_bias_H)
        return self._gradient_W

    def step(self, x_BD: Tensor, y_BQ: Tensor, rate: float) -> None:
        """Takes a step of Adam with that learning rate."""
        gradient_W = self.gradient(x_BD, y_BQ)
        self._steps += 1
        self._mean_W.lerp_(gradient_W, 1 - DECAY)
        self._square_W.mul_(SQUARE_DECAY).addcmul_(gradient_W, gradient_W, value=1 - SQUARE_DECAY)
        spread_W = (self._square_W / (1 - SQUARE_DECAY**self._steps)).sqrt_().add_(EPSILON)
        self.weights_W.addcdiv_(self._mean_W, spread_W, value=-rate / (1 - DECAY**self._steps))
