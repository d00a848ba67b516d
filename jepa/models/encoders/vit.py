"""The Vision Transformer encoder (Dosovitskiy et al. 2021, arXiv:2010.11929), as LeWorldModel and DINOv2 use it.

DINOv2 (arXiv:2304.07193) scales each branch by a learned vector, and may have registers (arXiv:2309.16588): tokens
beside the class token, with no position, that are dropped in the end.
Shapes: N frames, C channels, H × W pixels, P patches, E embedding, F features: E of the class token, or P · E.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.numerics import at_least_float32
from jepa.models.encoders.encoder import ENCODERS, Encoder
from jepa.models.encoders.vit_layouts import VIT_LAYOUTS
from jepa.models.layers.attention import Attention
from jepa.models.layers.linear import Linear


class ViTConfig(Config):
    """Sizes; the defaults are ViT-Tiny with the paper's patch of 14, meant for frames of 224 pixels."""

    patch_size: PositiveInt = 14
    """Side of a patch in pixels; must divide the image size."""
    depth: PositiveInt = 12
    """Number of transformer blocks."""
    heads: PositiveInt = 3
    """Attention heads; must divide the width."""
    width: PositiveInt = 192
    """E, size of a token."""
    mlp_ratio: PositiveInt = 4
    """Hidden size of a block's MLP in widths."""
    norm_eps: PositiveFloat = 1e-6
    """Added to the variance in every LayerNorm."""
    output: Literal["class", "patches"] = "class"
    """What the feature is: the class token, or all patch tokens one after another."""
    resize: PositiveInt | None = None
    """Side that frames are resized to (bilinear, antialiased) before they are cut into patches; left out, their own."""
    layer_scale: bool = False
    """Whether each branch of a transformer block is scaled by a learned vector, as in DINOv2."""
    registers: NonNegativeInt = 0
    """Register tokens, as in DINOv2 with registers."""

    def grid_side(self, image_size: int) -> int:
        """Returns the patches along a side of the picture.

        Raises:
            InputError: the side is no multiple of the patch's.
        """
        side = self.resize or image_size
        if side % self.patch_size:
            field = "resize" if self.resize else "image_size"
            raise InputError(
                f"{field} {side} is not a multiple of the ViT's patch_size {self.patch_size}; change one of them"
            )
        return side // self.patch_size


class ViTBlock(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        width, norm_eps = config.width, config.norm_eps
        self.norm_attention = nn.LayerNorm(width, eps=norm_eps)
        self.attention = Attention(width, config.heads, width // config.heads, causal=False)
        self.norm_mlp = nn.LayerNorm(width, eps=norm_eps)
        hidden = config.mlp_ratio * width
        self.mlp = nn.Sequential(Linear(width, hidden), nn.GELU(), Linear(hidden, width))
        self.attention_scale = nn.Parameter(torch.ones(width)) if config.layer_scale else None
        self.mlp_scale = nn.Parameter(torch.ones(width)) if config.layer_scale else None

    def forward(self, x_NPE: Tensor) -> Tensor:
        """Returns tokens of the same shape."""
        branch_NPE: Tensor = self.attention(self.norm_attention(x_NPE))
        x_NPE = x_NPE + (branch_NPE if self.attention_scale is None else branch_NPE * self.attention_scale)
        branch_NPE = self.mlp(self.norm_mlp(x_NPE))
        return x_NPE + (branch_NPE if self.mlp_scale is None else branch_NPE * self.mlp_scale)


@ENCODERS.register("vit")
class ViTEncoder(Encoder):
    """A plain ViT with learned positions; the feature is the class token, or are the patches, after the final norm."""

    Config = ViTConfig
    layouts = VIT_LAYOUTS
    config: ViTConfig

    def __init__(self, config: ViTConfig, image_size: int) -> None:
        super().__init__(config, image_size)
        patches = config.grid_side(image_size) ** 2
        if config.width % config.heads:
            raise InputError(f"the ViT's width {config.width} is not a multiple of its heads {config.heads}")
        self.tokens = patches if config.output == "patches" else 1
        self.feature_size = self.tokens * config.width
        self.patch_embedding = nn.Conv2d(3, config.width, config.patch_size, stride=config.patch_size)
        self.class_token = nn.Parameter(torch.empty(1, 1, config.width))
        self.position = nn.Parameter(torch.empty(1, patches + 1, config.width))
        self.registers = nn.Parameter(torch.empty(1, config.registers, config.width)) if config.registers else None
        self.blocks = nn.Sequential(*(ViTBlock(config) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(config.width, eps=config.norm_eps)
        self.apply(_initialise)
        nn.init.trunc_normal_(self.class_token, std=0.02)
        nn.init.trunc_normal_(self.position, std=0.02)
        if self.registers is not None:
            nn.init.trunc_normal_(self.registers, std=0.02)

    def forward(self, pixels_NCHW: Tensor) -> Tensor:
        """Returns features (N, F): the normalised class token, or the normalised patch tokens row by row."""
        patches_NPE = self.patch_embedding(self._resized(pixels_NCHW)).flatten(2).transpose(1, 2)
        tokens_NPE = torch.cat([self.class_token.expand(len(patches_NPE), -1, -1), patches_NPE], dim=1) + self.position
        if self.registers is not None:
            registers_NRE = self.registers.expand(len(patches_NPE), -1, -1)
            tokens_NPE = torch.cat([tokens_NPE[:, :1], registers_NRE, tokens_NPE[:, 1:]], dim=1)
        kept = slice(0, 1) if self.config.output == "class" else slice(1 + self.config.registers, None)
        features_NPE: Tensor = self.norm(self.blocks(tokens_NPE)[:, kept])
        return features_NPE.flatten(1)

    def _resized(self, pixels_NCHW: Tensor) -> Tensor:
        side = self.config.resize
        if side is None or side == pixels_NCHW.shape[-1]:
            return pixels_NCHW
        # Not every device resizes in half precision.
        resized_NCHW = F.interpolate(at_least_float32(pixels_NCHW), (side, side), mode="bilinear", antialias=True)
        return resized_NCHW.to(pixels_NCHW.dtype)


def _initialise(module: nn.Module) -> None:
    """Truncated normal weights of std 0.02 and zero biases, as ViTs are started."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
