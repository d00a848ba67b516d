"""SIGReg: how far the latents of a batch are from a standard Gaussian, along random directions.

Balestriero and LeCun 2025 (arXiv:2511.08544): for unit directions u and h = z·u over the N latents of the global batch,

    T(u) = N Σ_k w_k [ (mean cos(t_k h) - φ(t_k))² + (mean sin(t_k h))² ],   φ(t) = exp(-t²/2),

knots t_k equally spaced on [0, 3], w_k the trapezoid's weights, doubled for the negative half, times φ(t_k). SIGReg is
the mean of T over directions and time steps: about 1 for Gaussian latents at any N, and in proportion to N otherwise:
a weight on it is tied to the global batch size.

The gradient is written by hand. With A_k and B_k the two differences above,

    dT/dh = Σ_k 2 w_k t_k [ B_k cos(t_k h) - A_k sin(t_k h) ]

is the real part of a polynomial in e^{i dt h}: one cosine and one sine serve all knots, forward by the angle-addition
recurrence and backward by Horner's scheme, where autograd would keep 17 cosines and sines of every projection.

Shapes: T time steps, N latents of this process, D latent, M directions, K knots without t = 0, whose term is zero.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from jepa.core.collectives import all_reduce_sum, global_count, world_size
from jepa.core.config import Config
from jepa.core.numerics import at_least_float32, constant, to_device
from jepa.core.seeds import torch_generator

CPU_TILE, GPU_TILE = 131_072, 16_777_216
"""Six arrays of a tile are alive at once: 3 MB, or 0.4 GB. A tile takes some 200 kernels, whose launching alone keeps a
GPU waiting for a millisecond: small tiles that suit a cache would leave it idle."""


class SIGRegConfig(Config):
    """Size of the sketch and of the quadrature."""

    directions: PositiveInt = 256
    """M, fresh random directions a step."""
    knots: int = Field(17, ge=2)
    """Quadrature points, 0 included."""
    t_max: PositiveFloat = 3.0
    """The last of them."""
    seed: int = 0
    """Directions are a function of the run's seed, of this and of the step: runs that differ in this differ in nothing
    else that is drawn."""
    tile_elements: PositiveInt | None = None
    """Projections (T × N × directions) worked on at once, which bounds the memory; left out, as many as stay in a CPU's
    cache (131,072), or as keep a GPU busy (16,777,216, for which it needs 0.5 GB)."""

    stored_as: ClassVar[Mapping[str, str]] = {"chunk_elements": "tile_elements"}

    def tile_for(self, device: torch.device) -> int:
        """Returns the projections worked on at once on a device; the same on all devices of a kind."""
        return self.tile_elements or (CPU_TILE if device.type == "cpu" else GPU_TILE)


class SIGReg(nn.Module):
    """Sketched isotropic Gaussian regularisation of the global batch, time step by time step."""

    def __init__(self, config: SIGRegConfig | None = None) -> None:
        super().__init__()
        self.config = config or SIGRegConfig()

    def forward(self, z_TND: Tensor, step: int, seed: int) -> Tensor:
        """Returns the statistic, a scalar, equal in every process.

        Args:
            z_TND: this process's latents; processes may hold different numbers N.
            step: which of the seed's draws of directions to use.
            seed: of the run.
        """
        z_TND = at_least_float32(z_TND)
        # Drawn on the host, for two kinds of GPU may draw differently.
        u_DM = to_device(self.directions(z_TND.shape[-1], step, seed), z_TND.device)
        value: Tensor = _SIGReg.apply(z_TND, u_DM.to(z_TND.dtype), self.config)
        return value

    def directions(self, size: int, step: int, seed: int) -> Tensor:
        """Returns (size, M) unit columns, uniform on the sphere: a pure function of the configuration and these."""
        generator = torch_generator(seed, "sigreg", self.config.seed, step)
        u_DM = torch.randn(size, self.config.directions, generator=generator)
        unit_DM: Tensor = u_DM / u_DM.norm(dim=0, keepdim=True).clamp_min(1e-12)
        return unit_DM


@dataclass(frozen=True)
class Quadrature:
    """The knots without t = 0, and what the sums over them need, each (K, 1, 1)."""

    dt: float
    """Distance of two knots."""
    phi_K11: Tensor
    """φ(t_k)"""
    weight_K11: Tensor
    """w_k"""
    slope_K11: Tensor
    """2 w_k t_k"""

    @classmethod
    def of(cls, config: SIGRegConfig, like: Tensor) -> "Quadrature":
        """Returns the constants in the type and on the device of a tensor."""
        dt = config.t_max / (config.knots - 1)
        knots = [k * dt for k in range(1, config.knots)]
        phi = [math.exp(-(t**2) / 2) for t in knots]
        weights = [2 * dt * value for value in phi[:-1]] + [dt * phi[-1]]
        slopes = [2 * weight * t for weight, t in zip(weights, knots, strict=True)]
        kept = (constant(tuple(values), like.dtype, like.device) for values in (phi, weights, slopes))
        return cls(dt, *(values_K[:, None, None] for values_K in kept))


class _SIGReg(torch.autograd.Function):
    """Value and gradient in one pass; only the gradient with respect to z is kept, of z's own size."""

    @staticmethod
    def forward(ctx: Any, z_TND: Tensor, u_DM: Tensor, config: SIGRegConfig) -> Tensor:
        with torch.autocast(z_TND.device.type, enabled=False):
            steps, total = z_TND.shape[0], global_count(z_TND.shape[1])
            # Equal in all processes, whatever their shares: each tile is a collective.
            columns = max(1, config.tile_for(z_TND.device) // (steps * math.ceil(total / world_size())))
            quadrature = Quadrature.of(config, z_TND)
            value = z_TND.new_zeros(())
            grad_TND = torch.zeros_like(z_TND)
            for u_Dm in u_DM.split(columns, dim=1):
                statistic, grad_TNm = _statistic(z_TND @ u_Dm, total, quadrature, ctx.needs_input_grad[0])
                value += statistic
                if grad_TNm is not None:
                    grad_TND += grad_TNm @ u_Dm.T
            scale = 1.0 / (steps * u_DM.shape[1])
            ctx.save_for_backward(grad_TND.mul_(scale))
            return value * scale

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (grad_TND,) = ctx.saved_tensors
        # Every process's loss depends on every latent, so the gradient is that of the sum of their losses.
        return grad_TND * grads[0] * world_size(), None, None


def _statistic(h_TNM: Tensor, total: int, knots: Quadrature, need_grad: bool) -> tuple[Tensor, Tensor | None]:
    """Returns the sum over time and directions of T, and its gradient with respect to h."""
    angle = h_TNM * knots.dt
    cos_1, sin_1 = angle.cos(), angle.sin()
    sums_2KTM = all_reduce_sum(torch.stack(_knot_sums(cos_1, sin_1, len(knots.phi_K11))))
    means_2KTM = sums_2KTM.unflatten(0, (2, -1)) / total
    cos_gap_KTM, sin_gap_KTM = means_2KTM[0] - knots.phi_K11, means_2KTM[1]
    value = total * (knots.weight_K11 * (cos_gap_KTM.square() + sin_gap_KTM.square())).sum()
    if not need_grad:
        return value, None
    return value, _horner(cos_1, sin_1, knots.slope_K11 * sin_gap_KTM, knots.slope_K11 * cos_gap_KTM)


def _knot_sums(cos_1: Tensor, sin_1: Tensor, knots: int) -> list[Tensor]:
    """Returns the sums over N of cos(k·angle), k = 1 … K, then those of sin, each (T, M), by angle addition."""
    cos_k, sin_k = cos_1, sin_1
    cos_sums, sin_sums = [cos_1.sum(1)], [sin_1.sum(1)]
    for _ in range(knots - 1):
        cos_next = torch.mul(cos_k, cos_1).addcmul_(sin_k, sin_1, value=-1)
        sin_k = torch.mul(sin_k, cos_1).addcmul_(cos_k, sin_1)
        cos_k = cos_next
        cos_sums.append(cos_k.sum(1))
        sin_sums.append(sin_k.sum(1))
    return cos_sums + sin_sums


def _horner(cos_1: Tensor, sin_1: Tensor, b_KTM: Tensor, a_KTM: Tensor) -> Tensor:
    """Returns Σ_k b_k cos(k·angle) - a_k sin(k·angle), the real part of Σ_k (b_k + i a_k) e^{ik·angle}."""
    real = b_KTM[-1][:, None].expand_as(cos_1)
    imaginary = a_KTM[-1][:, None].expand_as(cos_1)
    for b_TM, a_TM in zip(b_KTM[:-1].flip(0), a_KTM[:-1].flip(0), strict=True):
        real_next = torch.addcmul(b_TM[:, None], real, cos_1).addcmul_(imaginary, sin_1, value=-1)
        imaginary = torch.addcmul(a_TM[:, None], real, sin_1).addcmul_(imaginary, cos_1)
        real = real_next
    return torch.mul(real, cos_1).addcmul_(imaginary, sin_1, value=-1)
