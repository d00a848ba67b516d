"""Mixings x = g(z): fixed invertible maps behind which the state is hidden.

Shapes: N samples, D dimensions.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from jepa.core.errors import InputError
from jepa.core.seeds import torch_generator

Mixing = Callable[[Tensor], Tensor]
MixingName = Literal["none", "spiral", "sinusoid", "banana", "coupling"]
MIXINGS: tuple[MixingName, ...] = ("spiral", "sinusoid", "banana", "coupling")
"""Those of the paper."""


def make_mixing(name: MixingName, size: int, layers: int = 4, seed: int = 0) -> Mixing:
    """Returns a mixing (N, D) to (N, D).

    Args:
        name: `spiral`, `sinusoid` and `banana` are for two dimensions, `coupling` for any even number.
        size: D.
        layers: of the coupling.
        seed: of the coupling's matrices.

    Raises:
        InputError: the mixing has another number of dimensions.
    """
    if name == "none":
        return lambda z_ND: z_ND
    if name == "coupling":
        if size % 2:
            raise InputError(f"mixing 'coupling' needs an even dim, got {size}")
        return Coupling(size // 2, layers, seed)
    if size != 2:
        raise InputError(f"mixing {name!r} is for dim 2, got {size}; choose 'coupling'")
    planar: dict[str, Mixing] = {"spiral": spiral, "sinusoid": sinusoid, "banana": banana}
    return planar[name]


def spiral(z_N2: Tensor) -> Tensor:
    """Returns R(π‖z‖) z, each circle turned in proportion to its radius; a standard normal z stays one."""
    angle_N = math.pi * z_N2.norm(dim=-1)
    cos_N, sin_N = angle_N.cos(), angle_N.sin()
    first, second = z_N2.unbind(-1)
    return torch.stack([cos_N * first - sin_N * second, sin_N * first + cos_N * second], dim=-1)


def sinusoid(z_N2: Tensor) -> Tensor:
    """Returns (z1 + sin 1.5 z2, z2)."""
    first, second = z_N2.unbind(-1)
    return torch.stack([first + (1.5 * second).sin(), second], dim=-1)


def banana(z_N2: Tensor) -> Tensor:
    """Returns (z1, z2 + z1²)."""
    first, second = z_N2.unbind(-1)
    return torch.stack([first, second + first.square()], dim=-1)


class Coupling:
    """Additive coupling: by turns one half of the coordinates gets tanh of the other half times W, W 2 × orthogonal.

    The paper's text calls it affine; its code, and this, are additive, which keeps volumes.
    """

    def __init__(self, half: int, layers: int, seed: int) -> None:
        self.weight_LDD = torch.stack([_orthogonal(half, seed, layer) * 2 for layer in range(layers)])

    def __call__(self, z_ND: Tensor) -> Tensor:
        """Returns the mixed coordinates."""
        return couple(z_ND, self.weight_LDD)


def couple(z_ND: Tensor, weight_LDD: Tensor) -> Tensor:
    """Returns additive coupling layers applied in order."""
    first, second = z_ND.chunk(2, dim=-1)
    for layer, weight_DD in enumerate(weight_LDD.unbind()):
        if layer % 2 == 0:
            second = second + (first @ weight_DD).tanh()
        else:
            first = first + (second @ weight_DD).tanh()
    return torch.cat([first, second], dim=-1)


def uncouple(x_ND: Tensor, weight_LDD: Tensor) -> Tensor:
    """Returns the inverse of `couple` for the same matrices."""
    first, second = x_ND.chunk(2, dim=-1)
    for layer, weight_DD in reversed(list(enumerate(weight_LDD.unbind()))):
        if layer % 2 == 0:
            second = second - (first @ weight_DD).tanh()
        else:
            first = first - (second @ weight_DD).tanh()
    return torch.cat([first, second], dim=-1)


def _orthogonal(size: int, seed: int, layer: int) -> Tensor:
    drawn = torch.randn(size, size, generator=torch_generator(seed, "mixing", layer), dtype=torch.float64)
    orthogonal: Tensor = torch.linalg.qr(drawn)[0].float()
    return orthogonal
