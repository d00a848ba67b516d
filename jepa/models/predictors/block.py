"""A transformer block that the action modulates (AdaLN-zero; Peebles and Xie 2023, arXiv:2212.09748, section 3.2).

Shapes: N sequences, L frames, E width of the predictor.
"""

from torch import Tensor, nn

from jepa.models.layers.dropout import GlobalDropout
from jepa.models.predictors.predictor import TransformerConfig


class ModulatedBlock(nn.Module):
    """A pre-norm block whose shifts, scales and gates come from the action; all start at zero: identity."""

    def __init__(self, width: int, config: TransformerConfig, attention: nn.Module | None) -> None:
        super().__init__()
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
