"""The lean predictor: a causal transformer in a width of its own, every block modulated by the action (AdaLN-zero).

Shapes: N sequences, L frames (at most the history), D latent, E width of the predictor.
"""

from typing import Literal

from pydantic import PositiveInt
from torch import Tensor, nn

from jepa.models.layers.attention import Attention
from jepa.models.layers.heads import Projector
from jepa.models.layers.initial import drawn_normal
from jepa.models.layers.linear import Linear
from jepa.models.predictors.block import ModulatedBlock
from jepa.models.predictors.predictor import PREDICTORS, TransformerConfig
from jepa.models.predictors.transformer import TransformerPredictor


class LeanConfig(TransformerConfig):
    """Sizes, and how the output becomes a latent; a history of one frame leaves the heads unused."""

    width: PositiveInt = 128
    """E, size of a token inside the predictor."""
    output: Literal["change", "projector"] = "change"
    """`change` adds a linear read-out to the current latent; `projector` ends in an MLP with BatchNorm, the paper's."""
    projector_size: PositiveInt = 2048
    """Hidden size of that MLP."""


@PREDICTORS.register("lean")
class LeanPredictor(TransformerPredictor):
    """Maps latents to tokens, lets the action modulate each block, and reads off the change of the latent."""

    Config = LeanConfig

    def __init__(self, config: LeanConfig, latent_size: int, history: int, tokens: int = 1) -> None:
        super().__init__(config, latent_size, history, tokens)
        width = config.width
        self.inward = Linear(latent_size, width)
        self.position = nn.Parameter(drawn_normal(1, history, width, spread=0.02))
        self.blocks = nn.ModuleList(
            ModulatedBlock(width, config, _causal_attention(config) if history > 1 else None)
            for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(width)
        self.change: nn.Linear | None = None
        self.projector: Projector | None = None
        if config.output == "change":
            self.change = Linear(width, latent_size)
            # An untrained predictor says that nothing changes, which is nearly right for a few steps.
            nn.init.zeros_(self.change.weight)
            nn.init.zeros_(self.change.bias)
        else:
            self.projector = Projector(width, config.projector_size, latent_size)

    @classmethod
    def action_width(cls, config: LeanConfig, latent_size: int) -> int:
        """Returns the predictor's own width."""
        return config.width

    def enter(self, z_NLD: Tensor, first: int = 0) -> Tensor:
        """Returns a token for each frame."""
        x_NLE: Tensor = self.inward(z_NLD) + self.position[:, first : first + z_NLD.shape[1]]
        return x_NLE

    def leave(self, x_NLE: Tensor, z_NLD: Tensor) -> Tensor:
        """Returns the next latents."""
        x_NLE = self.norm(x_NLE)
        zhat_NLD: Tensor
        if self.change is not None:
            zhat_NLD = z_NLD + self.change(x_NLE)
        else:
            assert self.projector is not None
            zhat_NLD = self.projector(x_NLE)
        return zhat_NLD


def _causal_attention(config: LeanConfig) -> Attention:
    """Returns attention in which a frame sees itself and those before it."""
    return Attention(config.width, config.heads, config.head_size, causal=True, dropout=config.dropout)
