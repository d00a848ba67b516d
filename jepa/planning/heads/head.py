"""What a head is: a small network on the latents of a frozen model.

A head is fitted after the model, on latents of the train split that were encoded once, and never changes its weights.
Shapes: P problems, N rows, K actions in an action block (the frameskip), A action dimensions, D latent.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from jepa.core.config import Config
from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.worlds.registry import WORLDS


class HeadConfig(Config):
    """The network of a head, and how long it is fitted."""

    width: PositiveInt = 256
    """width of each hidden layer"""
    depth: int = Field(3, gt=0, le=100)
    """hidden layers"""
    steps: PositiveInt = 4000
    """optimiser steps, along a cosine to zero"""
    batch_size: PositiveInt = 1024
    """pairs of an optimiser step"""
    learning_rate: PositiveFloat = 1e-3
    """peak learning rate of AdamW"""
    weight_decay: NonNegativeFloat = 1e-3
    """of AdamW"""
    frames: PositiveInt = 200_000
    """most frames of the train split that are encoded, in whole episodes"""


class HeadSizes(Config):
    """The latents and actions that a head is made for; it travels with its weights."""

    latent_size: PositiveInt
    frameskip: PositiveInt
    action_size: PositiveInt
    quantities: dict[str, int] = Field(default_factory=dict)
    """dimensions of each recorded quantity, for heads that read them"""
    angles: tuple[str, ...] = ()
    """those of them that are angles in radians, the same after a full turn"""

    @classmethod
    def of(cls, model: WorldModel, quantities: Mapping[str, int], world: str | None = None) -> "HeadSizes":
        """Returns those of a model and of the episodes that it is fitted on; the world says what is an angle."""
        config = model.config
        known = WORLDS.get(world).world_spec.quantities if world is not None and world in WORLDS else ()
        return cls(
            latent_size=config.latent_size,
            frameskip=config.frameskip,
            action_size=config.action_size,
            quantities=dict(quantities),
            angles=tuple(one.name for one in known if one.unit == "radian" and one.name in quantities),
        )


class Head(nn.Module, ABC):
    """A network on frozen latents; subclasses are registered by their kind."""

    kind: ClassVar[str]
    Config: ClassVar[type[HeadConfig]] = HeadConfig
    version: ClassVar[int] = 1
    """raised whenever the same model, episodes, configuration and seed give another head than before"""
    joins_training: ClassVar[bool] = True
    """whether it may be trained with a model: all that it learns by is in its weights, which a checkpoint keeps"""
    privileged: ClassVar[bool] = False
    """whether it is fitted on recorded states, which nobody has who sees frames alone"""
    z_mean: Tensor
    z_std: Tensor

    def __init__(self, config: Any, sizes: HeadSizes) -> None:
        """Builds the network with initial weights; `config` is of the class's `Config`."""
        super().__init__()
        self.config = config
        self.sizes = sizes
        self.register_buffer("z_mean", torch.zeros(sizes.latent_size))
        self.register_buffer("z_std", torch.ones(sizes.latent_size))

    def measure(self, data: LatentEpisodes) -> None:
        """Sets the scales of what goes in and comes out from the episodes that the head is fitted on."""
        self.z_mean.copy_(data.seen_ND.mean(0))
        self.z_std.copy_(spread(data.seen_ND))

    @abstractmethod
    def loss(self, data: LatentEpisodes, model: WorldModel, generator: torch.Generator) -> Tensor:
        """Returns the loss of a freshly drawn batch; the model is frozen, and all draws come from the generator."""

    def scaled(self, z_ND: Tensor) -> Tensor:
        """Returns z-scored latents."""
        return (z_ND - self.z_mean) / self.z_std


def perceptron(inputs: int, outputs: int, config: HeadConfig) -> nn.Sequential:
    """Returns `depth` hidden layers of `width` with GELU, and a linear last one."""
    layers: list[nn.Module] = []
    for _ in range(config.depth):
        layers += [nn.Linear(inputs, config.width), nn.GELU()]
        inputs = config.width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def spread(x_NX: Tensor) -> Tensor:
    """Returns the standard deviation of each column; 1 for a column that never varies, which is only centred."""
    std = x_NX.double().std(0, correction=0)
    return torch.where(std > 1e-6 * (1 + x_NX.abs().amax(0)), std, torch.ones_like(std)).to(x_NX.dtype)
