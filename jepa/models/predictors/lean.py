"""The action-conditioned predictor: a causal transformer whose every block is modulated by the action (AdaLN-zero).

Shapes: N sequences, L frames (at most the history), D latent, E width of the predictor.
AdaLN-zero is Peebles and Xie 2023, arXiv:2212.09748, section 3.2.
"""

from typing import Literal

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from jepa.core.config import Config
from jepa.models.layers.attention import Attention
from jepa.models.layers.dropout import GlobalDropout
from jepa.models.layers.heads import Projector


class PredictorConfig(Config):
    """Form and sizes of the predictor, and how its output becomes a latent."""

    form: Literal["lean", "paper", "tokens"] = "lean"
    """`lean` is this module's; `paper` is that of the released LeWM, layer by layer (`paper_predictor.py`); `tokens`
    predicts a latent that is made of patch tokens, token by token (`token_predictor.py`)."""
    width: PositiveInt = 128
    """E, size of a token inside the predictor."""
    depth: PositiveInt = 2
    """Number of blocks."""
    heads: PositiveInt = 4
    """Attention heads; unused with a history of one frame, where there is nothing to attend to."""
    head_size: PositiveInt = 32
    """Size of one attention head."""
    mlp_size: PositiveInt = 256
    """Hidden size of a block's MLP."""
    action_mlp_size: PositiveInt = 128
    """Hidden size of the MLP that embeds a block of actions."""
    action_inner_size: PositiveInt | None = None
    """Size of the linear layer before that MLP; the block's own size by default."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of activations dropped in attention and MLP while training."""
    output: Literal["change", "projector"] = "change"
    """`change` adds a linear read-out to the current latent; `projector` ends in an MLP with BatchNorm, the paper's."""
    projector_size: PositiveInt = 2048
    """Hidden size of that MLP."""

    @model_validator(mode="after")
    def _form_and_output_fit(self) -> "PredictorConfig":
        if self.form == "paper" and self.output != "projector":
            raise ValueError(f"a predictor of form 'paper' ends in a projector; output {self.output!r} does not fit")
        if self.form == "tokens" and self.output != "change":
            raise ValueError(f"a predictor of form 'tokens' predicts a change; output {self.output!r} does not fit")
        return self


class PredictorBlock(nn.Module):
    """A pre-norm block whose shifts, scales and gates come from the action; all start at zero: identity."""

    def __init__(self, config: PredictorConfig, attention: nn.Module | None) -> None:
        super().__init__()
        width = config.width
        self.attention = attention
        self.mlp = nn.Sequential(
            nn.Linear(width, config.mlp_size),
            nn.GELU(),
            GlobalDropout(config.dropout),
            nn.Linear(config.mlp_size, width),
            GlobalDropout(config.dropout),
        )
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        modulation = nn.Linear(width, (6 if attention else 3) * width)
        nn.init.zeros_(modulation.weight)
        nn.init.zeros_(modulation.bias)
        self.modulation = nn.Sequential(nn.SiLU(), modulation)

    def forward(self, x_NLE: Tensor, action_NLE: Tensor) -> Tensor:
        """Returns tokens of the same shape; dimensions between L and E, if any, share the action of their frame."""
        modulation = self.modulation(action_NLE).split(x_NLE.shape[-1], dim=-1)
        if self.attention is not None:
            shift, scale, gate = modulation[3:]
            x_NLE = x_NLE + gate * self.attention(self.norm(x_NLE) * (1 + scale) + shift)
        shift, scale, gate = modulation[:3]
        y_NLE: Tensor = x_NLE + gate * self.mlp(self.norm(x_NLE) * (1 + scale) + shift)
        return y_NLE


def causal_attention(config: PredictorConfig) -> Attention:
    """Returns attention in which a frame sees itself and those before it."""
    return Attention(config.width, config.heads, config.head_size, causal=True, dropout=config.dropout)


class Predictor(nn.Module):
    """Predicts each frame's successor from at most `history` frames and the actions taken at them."""

    def __init__(self, config: PredictorConfig, latent_size: int, history: int) -> None:
        super().__init__()
        self.history = history
        self.inward = nn.Linear(latent_size, config.width)
        self.position = nn.Parameter(torch.randn(1, history, config.width) * 0.02)
        self.blocks = nn.ModuleList(
            PredictorBlock(config, causal_attention(config) if history > 1 else None) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.width)
        self.change: nn.Linear | None = None
        self.projector: Projector | None = None
        if config.output == "change":
            self.change = nn.Linear(config.width, latent_size)
            # An untrained predictor says that nothing changes, which is nearly right for a few steps.
            nn.init.zeros_(self.change.weight)
            nn.init.zeros_(self.change.bias)
        else:
            self.projector = Projector(config.width, config.projector_size, latent_size)

    def forward(self, z_NLD: Tensor, action_NLE: Tensor) -> Tensor:
        """Returns (N, L, D): entry l predicts the latent after frame l.

        Args:
            z_NLD: latents of L consecutive frames, 1 <= L <= history.
            action_NLE: embedded actions taken at them.
        """
        x_NLE = self.inward(z_NLD) + self.position[:, : z_NLD.shape[1]]
        for block in self.blocks:
            x_NLE = block(x_NLE, action_NLE)
        x_NLE = self.norm(x_NLE)
        if self.change is not None:
            return z_NLD + self.change(x_NLE)
        assert self.projector is not None
        zhat_NLD: Tensor = self.projector(x_NLE)
        return zhat_NLD
