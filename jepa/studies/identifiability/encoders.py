"""Encoders of the latent worlds: a free MLP, and the inverse of the coupling with matrices to be learned.

Shapes: N samples, D dimensions.
"""

import itertools
from typing import Literal

import torch
from torch import Tensor, nn

from jepa.core.errors import InputError
from jepa.core.seeds import seeded
from jepa.studies.identifiability.mixings import uncouple

EncoderName = Literal["mlp", "matched"]


class InverseCoupling(nn.Module):
    """The coupling's inverse, whose matrices start at random: the state is within reach, but not given."""

    def __init__(self, size: int, layers: int) -> None:
        super().__init__()
        half = size // 2
        self.weight_LDD = nn.Parameter(torch.randn(layers, half, half) / half**0.5)

    def forward(self, x_ND: Tensor) -> Tensor:
        """Returns latents (N, D)."""
        return uncouple(x_ND, self.weight_LDD)


def make_encoder(
    name: EncoderName, size: int, seed: int, width: int = 256, hidden: int = 3, layers: int = 4
) -> nn.Module:
    """Returns an encoder (N, D) to (N, D).

    Args:
        name: `mlp`, or `matched` for the inverse of the coupling.
        size: D.
        seed: of the initial weights.
        width: of the MLP's hidden layers.
        hidden: how many there are.
        layers: of the coupling.

    Raises:
        InputError: a matched encoder needs an even number of dimensions.
    """
    if name == "matched" and size % 2:
        raise InputError(f"encoder 'matched' needs an even dim, got {size}")
    with seeded(seed, "encoder"):
        return InverseCoupling(size, layers) if name == "matched" else mlp(size, size, width, hidden)


def mlp(inputs: int, outputs: int, width: int, hidden: int) -> nn.Sequential:
    """Returns linear layers with GELU between them, drawn from torch's default generator."""
    sizes = [inputs, *[width] * hidden]
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))
