"""A learned distance of latents: 0 from each to itself, never longer than by a detour, and each direction its own.

The form follows metric residual networks (Liu et al. 2023, arXiv:2208.08133): latents are embedded, and of the
difference of two embeddings there is, in each of several parts, the largest positive value, which depends on the
direction, and the Euclidean length, which does not. Both keep the triangle inequality, and so does their mean.
A search needs that shape: the least distance is at the goal itself, and falls towards it from all sides.
Shapes: D latent, M parts, E dimensions of a summand.
"""

from pydantic import Field, PositiveInt
from torch import Tensor, nn

from jepa.planning.heads.head import perceptron
from jepa.planning.heads.imagined import ImaginedConfig


class QuasimetricConfig(ImaginedConfig):
    """The embedding, and how long it is fitted."""

    depth: int = Field(2, gt=0, le=100)
    """hidden layers"""
    steps: PositiveInt = 2000
    """optimiser steps, along a cosine to zero"""
    batch_size: PositiveInt = 512
    """pairs of an optimiser step, of each kind"""
    parts: PositiveInt = 8
    """M, distances that are averaged"""
    part_size: PositiveInt = 8
    """E, dimensions of each of their two summands"""


class Quasimetric(nn.Module):
    """The distance of two latents."""

    def __init__(self, latent_size: int, config: QuasimetricConfig) -> None:
        super().__init__()
        self.shape = (config.parts, 2, config.part_size)
        self.embedding = perceptron(latent_size, 2 * config.parts * config.part_size, config)

    def forward(self, z_XD: Tensor, goal_XD: Tensor) -> Tensor:
        """Returns distances (...) from latents (..., D) to others whose shape fits theirs by broadcasting."""
        way_XM2E = (self.embedding(goal_XD) - self.embedding(z_XD)).unflatten(-1, self.shape)
        there_XM = way_XM2E[..., 0, :].relu().amax(-1)
        # Off by next to nothing at 0, where a root has no slope.
        either_XM = (way_XM2E[..., 1, :].square().sum(-1) + 1e-8).sqrt()
        distance_X: Tensor = (there_XM + either_XM).mean(-1)
        return distance_X
