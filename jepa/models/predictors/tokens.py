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

from jepa.models.layers.attention import Attention, Kept
from jepa.models.layers.initial import drawn_normal
from jepa.models.layers.linear import Linear
from jepa.models.predictors.block import ModulatedBlock
from jepa.models.predictors.predictor import PREDICTORS, TransformerConfig
from jepa.models.predictors.transformer import TransformerPredictor


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
            mask_LL = _frames_so_far(steps, steps, tokens, x_NLPE.device)
        y_NLPE: Tensor = super().forward(x_NLPE.flatten(1, 2), mask_LL).unflatten(1, (steps, tokens))
        return y_NLPE

    def extend(self, x_NMPE: Tensor, kept: Kept | None, newest: int, mask: Tensor | None = None) -> tuple[Tensor, Kept]:
        """Returns (N, newest, P, E) for the newest frames, and the keys and values of all frames' tokens."""
        steps, tokens = x_NMPE.shape[1:3]
        if newest > 1 and mask is None:
            before = 0 if kept is None else kept[0].shape[1] // tokens
            mask = _frames_so_far(newest, before + steps, tokens, x_NMPE.device)
        y_NXE, both = super().extend(x_NMPE.flatten(1, 2), kept, newest * tokens, mask)
        return y_NXE.unflatten(1, (newest, tokens)), both


def _frames_so_far(newest: int, frames: int, tokens: int, device: torch.device) -> Tensor:
    """Returns which tokens (columns, of all frames) each token of the newest frames sees."""
    frame = torch.arange(frames, device=device).repeat_interleave(tokens)
    return frame[-newest * tokens :, None] >= frame


@PREDICTORS.register("tokens")
class TokenPredictor(TransformerPredictor):
    """Predicts each frame's successor token by token."""

    Config = TokensConfig

    def __init__(self, config: TokensConfig, latent_size: int, history: int, tokens: int) -> None:
        super().__init__(config, latent_size, history, tokens)
        self.tokens = tokens
        token_size = latent_size // tokens
        self.inward = Linear(token_size, config.width)
        self.time_position = nn.Parameter(drawn_normal(1, history, 1, config.width, spread=0.02))
        self.space_position = nn.Parameter(drawn_normal(1, 1, tokens, config.width, spread=0.02))
        self.blocks = nn.ModuleList(
            ModulatedBlock(config.width, config, FrameAttention(config)) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.width)
        self.change = Linear(config.width, token_size)
        # As the lean predictor: untrained, it says that nothing changes.
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    @classmethod
    def action_width(cls, config: TokensConfig, latent_size: int) -> int:
        """Returns the predictor's own width."""
        return config.width

    def enter(self, z_NLD: Tensor, first: int = 0) -> Tensor:
        """Returns each frame's tokens (N, L, P, E), a frame's tokens one after another in its latent."""
        z_NLPC = z_NLD.unflatten(-1, (self.tokens, -1))
        time = self.time_position[:, first : first + z_NLD.shape[1]]
        x_NLPE: Tensor = self.inward(z_NLPC) + time + self.space_position
        return x_NLPE

    def leave(self, x_NLPE: Tensor, z_NLD: Tensor) -> Tensor:
        """Returns the next latents."""
        zhat_NLPC: Tensor = z_NLD.unflatten(-1, (self.tokens, -1)) + self.change(self.norm(x_NLPE))
        return zhat_NLPC.flatten(-2)

    def spread(self, action_NLE: Tensor) -> Tensor:
        """Returns actions (N, L, 1, E), for all of a frame's tokens."""
        return action_NLE[:, :, None]
