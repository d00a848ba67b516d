"""What an encoder is: a network from frames to features, with its configuration, under a name.

Shapes: N frames, H × W pixels, C = 3 colours, F features.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from jepa.core.config import Config, parse_options
from jepa.core.registries.registry import Registry
from jepa.models.encoders.layouts import Layout


class Encoder(nn.Module, ABC):
    """A network from frames to features; the world model's projector makes latents of them, or they are the latents."""

    Config: ClassVar[type[Config]]
    layouts: ClassVar[tuple[Layout, ...]] = ()
    """In which its weights are published by others."""
    feature_size: int
    """F"""
    tokens: int = 1
    """Equal parts, one after another, that a feature is made of: the patches of an encoder that keeps them."""

    def __init__(self, config: Any, image_size: int) -> None:
        super().__init__()
        self.config = config
        self.image_size = image_size

    @abstractmethod
    def forward(self, pixels_NCHW: Tensor) -> Tensor:
        """Returns features (N, F) of frames scaled as the model's `pixel_scaling` says, roughly to [-2, 2]."""


ENCODERS: Registry[type[Encoder]] = Registry(
    "encoder",
    {
        "conv": "jepa.models.encoders.conv",
        "resnet18": "jepa.models.encoders.resnet",
        "vit": "jepa.models.encoders.vit",
    },
    group="jepa.encoders",
)


def encoder_config(name: str, options: Mapping[str, Any]) -> Config:
    """Returns the validated configuration of a registered encoder.

    Raises:
        InputError: the name is unknown, or an option does not fit; the message names it.
    """
    return parse_options(ENCODERS.get(name).Config, options, "encoder_options")
