"""From a latent to a picture: for objectives that predict pixels, and for seeing what a trained model imagines.

Pictures are (N, 3, R, R), in [-1, 1] where they are right.
Shapes: N latents of D dimensions, R side of a picture in pixels, P patches of a picture, L tokens, E width.
"""

import torch
import torch.nn.functional as F
from pydantic import PositiveInt, model_validator
from torch import Tensor, nn

from jepa.core.config import Config
from jepa.core.numerics import at_least_float32


def pictures(pixels_NHWC: Tensor, side: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Returns frames uint8 as pictures, averaged down to `side` pixels."""
    pixels_NCHW = pixels_NHWC.permute(0, 3, 1, 2).to(dtype) / 127.5 - 1
    return F.adaptive_avg_pool2d(pixels_NCHW, side)


def frames(picture_NCHW: Tensor) -> Tensor:
    """Returns pictures as frames uint8 (N, R, R, 3), what is too bright or too dark cut off."""
    scaled = (picture_NCHW.permute(0, 2, 3, 1) + 1) * 127.5
    return scaled.round().clamp(0, 255).to(torch.uint8)


class ConvDecoder(nn.Module):
    """Linear to a 4 × 4 grid, then nearest-neighbour doubling and 3×3 convolutions."""

    def __init__(self, latent_size: int, doublings: int, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(latent_size, channels * 16), nn.Unflatten(-1, (channels, 4, 4)), nn.ReLU()]
        for _ in range(doublings):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 3, 3, padding=1))
        self.side = 4 * 2**doublings

    def forward(self, z_ND: Tensor) -> Tensor:
        """Returns pictures, in single precision at least."""
        picture_NCHW: Tensor = self.layers(z_ND)
        return at_least_float32(picture_NCHW)


class PatchDecoderConfig(Config):
    """The sizes of the decoder by patches."""

    patches: PositiveInt = 4
    """Patches along each side of a picture, one learned query each."""
    tokens: PositiveInt = 8
    """L, tokens that a latent is unfolded into: of one alone, all queries would read the same."""
    width: PositiveInt = 128
    """E, size of a query and of a token."""
    heads: PositiveInt = 4
    """Attention heads; must divide the width."""
    depth: PositiveInt = 2
    """Transformer blocks of cross-attention and MLP."""

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "PatchDecoderConfig":
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}; change one of them")
        return self


class PatchDecoder(nn.Module):
    """LeWorldModel's diagnostic (arXiv:2603.19312): learned queries attend to the latent, each draws its patch.

    It starts as the mean picture that it is given, and learns what differs from it.
    """

    mean_CHW: Tensor

    def __init__(self, latent_size: int, mean_CHW: Tensor, config: PatchDecoderConfig) -> None:
        super().__init__()
        width, self.patches = config.width, config.patches
        patch_values = mean_CHW.numel() // config.patches**2
        self.unfold = nn.Sequential(nn.Linear(latent_size, config.tokens * width), nn.Unflatten(-1, (-1, width)))
        self.query = nn.Parameter(torch.randn(1, config.patches**2, width))
        self.blocks = nn.ModuleList(_CrossBlock(width, config.heads) for _ in range(config.depth))
        last = nn.Linear(width, patch_values)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.out = nn.Sequential(nn.LayerNorm(width), last)
        self.register_buffer("mean_CHW", mean_CHW)

    def forward(self, z_ND: Tensor) -> Tensor:
        """Returns pictures of the mean picture's size."""
        token_NLE = self.unfold(z_ND)
        x_NPE = self.query.expand(len(z_ND), -1, -1)
        for block in self.blocks:
            x_NPE = block(x_NPE, token_NLE)
        # (N, patches · patches, 3 · r · r) -> (N, 3, patches · r, patches · r)
        difference_NCHW = F.pixel_shuffle(
            self.out(x_NPE).transpose(1, 2).unflatten(2, (self.patches, self.patches)),
            self.mean_CHW.shape[1] // self.patches,
        )
        picture_NCHW: Tensor = self.mean_CHW + difference_NCHW
        return picture_NCHW


class _CrossBlock(nn.Module):
    """Pre-norm cross-attention from queries to tokens, and an MLP of twice the width."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_query, self.norm_token, self.norm_mlp = (nn.LayerNorm(width) for _ in range(3))
        self.to_query, self.to_key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x_NPE: Tensor, token_NLE: Tensor) -> Tensor:
        query = self._heads(self.to_query(self.norm_query(x_NPE)))
        key, value = map(self._heads, self.to_key_value(self.norm_token(token_NLE)).chunk(2, dim=-1))
        read = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        x_NPE = x_NPE + self.out(read)
        y_NPE: Tensor = x_NPE + self.mlp(self.norm_mlp(x_NPE))
        return y_NPE

    def _heads(self, x_NLE: Tensor) -> Tensor:
        x_NHLE: Tensor = x_NLE.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        return x_NHLE
