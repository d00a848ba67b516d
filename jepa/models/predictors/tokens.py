"""The predictor of latents that are made of patch tokens: each token's successor, from those of the frames so far.

DINO-WM (arXiv:2411.04983), section 3.1: attention among all tokens of a frame and of the frames before it, learned
positions. DINO-WM appends the embedded action to each token; here it modulates each token in every block (AdaLN-zero),
as in our other predictors, and the output is the token's change.
Shapes: N sequences, L frames (at most the history), P tokens of a frame, C their size, D = P · C latent, E width of the
predictor.
"""

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from jepa.models.layers.attention import Attention
from jepa.models.predictors.block import ModulatedBlock
from jepa.models.predictors.predictor import PREDICTORS, Predictor, TransformerConfig


class TokensConfig(TransformerConfig):
    """Sizes; the output is always the token's change."""

    width: PositiveInt = 128
    """E, size of a token inside the predictor."""


class FrameAttention(Attention):
    """Self-attention over the tokens of several frames; each sees all of its own frame and of those before it."""

    def __init__(self, config: TokensConfig) -> None:
        super().__init__(config.width, config.heads, config.head_size, causal=False, dropout=config.dropout)

    def forward(self, x_NLPE: Tensor, mask_LL: Tensor | None = None) -> Tensor:
        """Returns (N, L, P, E)."""
        steps, tokens = x_NLPE.shape[1:3]
        # One frame sees all of itself, which needs no mask and takes torch's fastest kernel.
        if steps > 1 and mask_LL is None:
            frame = torch.arange(steps, device=x_NLPE.device).repeat_interleave(tokens)
            mask_LL = frame[:, None] >= frame
        y_NLPE: Tensor = super().forward(x_NLPE.flatten(1, 2), mask_LL).unflatten(1, (steps, tokens))
        return y_NLPE


@PREDICTORS.register("tokens")
class TokenPredictor(Predictor):
    """Predicts each frame's successor token by token."""

    Config = TokensConfig

    def __init__(self, config: TokensConfig, latent_size: int, history: int, tokens: int) -> None:
        super().__init__(config, latent_size, history, tokens)
        self.tokens = tokens
        token_size = latent_size // tokens
        self.inward = nn.Linear(token_size, config.width)
        self.time_position = nn.Parameter(torch.randn(1, history, 1, config.width) * 0.02)
        self.space_position = nn.Parameter(torch.randn(1, 1, tokens, config.width) * 0.02)
        self.blocks = nn.ModuleList(
            ModulatedBlock(config.width, config, FrameAttention(config)) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.width)
        self.change = nn.Linear(config.width, token_size)
        # As the lean predictor: untrained, it says that nothing changes.
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    @classmethod
    def action_width(cls, config: TokensConfig, latent_size: int) -> int:
        """Returns the predictor's own width."""
        return config.width

    def forward(self, z_NLD: Tensor, action_NLE: Tensor) -> Tensor:
        """Returns (N, L, D): entry l predicts the latent after frame l, a frame's tokens one after another."""
        z_NLPC = z_NLD.unflatten(-1, (self.tokens, -1))
        x_NLPE = self.inward(z_NLPC) + self.time_position[:, : z_NLD.shape[1]] + self.space_position
        for block in self.blocks:
            x_NLPE = block(x_NLPE, action_NLE[:, :, None])
        zhat_NLPC: Tensor = z_NLPC + self.change(self.norm(x_NLPE))
        return zhat_NLPC.flatten(-2)
