"""The small convolutional encoder, for worlds that a laptop should learn in minutes.

Shapes: N frames, C channels, H × W pixels, F features.
"""

from pydantic import Field, PositiveInt
from torch import Tensor, nn

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.models.encoders.encoder import ENCODERS, Encoder
from jepa.models.layers.channels_last import FlattenedChannels
from jepa.models.layers.strided_conv import StridedConv


class ConvConfig(Config):
    """Widths of the stages and the grid that is left of the picture."""

    patch_size: PositiveInt = 4
    """Side of the non-overlapping patches that the first convolution reads, in pixels."""
    channels: tuple[PositiveInt, ...] = Field((32, 64, 64), min_length=1)
    """Width of the patch convolution, then of each 3×3 convolution of stride 2."""
    grid_size: PositiveInt = 4
    """Side of the feature map handed on; a larger one is average-pooled down to it."""


@ENCODERS.register("conv")
class ConvEncoder(Encoder):
    """A patch convolution and strided 3×3 convolutions, each with GroupNorm and ReLU; positions are kept.

    One group: each frame is normalised over its own channels and positions (Wu and He 2018, arXiv:1803.08494). So no
    frame depends on another: processes need not meet in the encoder, and it can take a batch in micro-batches.
    """

    Config = ConvConfig
    config: ConvConfig

    def __init__(self, config: ConvConfig, image_size: int) -> None:
        super().__init__(config, image_size)
        side = image_size // config.patch_size
        if side < 1:
            raise InputError(
                f"image_size {image_size} is smaller than patch_size {config.patch_size}; use larger frames"
            )
        first, *rest = config.channels
        layers: list[nn.Module] = [
            nn.Conv2d(3, first, config.patch_size, stride=config.patch_size, bias=False),
            nn.GroupNorm(1, first),
            nn.ReLU(),
        ]
        width = first
        for channels in rest:
            layers += [StridedConv(width, channels), nn.GroupNorm(1, channels), nn.ReLU()]
            width, side = channels, (side + 1) // 2
        if side > config.grid_size:
            layers.append(nn.AdaptiveAvgPool2d(config.grid_size))
            side = config.grid_size
        self.layers = nn.Sequential(*layers, FlattenedChannels())
        self.feature_size = width * side * side

    def forward(self, pixels_NCHW: Tensor) -> Tensor:
        """Returns features (N, F): the flattened grid of the last stage."""
        features_NF: Tensor = self.layers(pixels_NCHW)
        return features_NF
