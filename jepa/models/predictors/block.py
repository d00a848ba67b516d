"""A transformer block that the action modulates (AdaLN-zero; Peebles and Xie 2023, arXiv:2212.09748, section 3.2).

Shapes: N sequences, L frames, E width of the predictor.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from jepa.models.layers.dropout import GlobalDropout
from jepa.models.layers.linear import Linear
from jepa.models.predictors.predictor import TransformerConfig
from jepa.models.predictors.transformer import ActionBlock


class ModulatedBlock(ActionBlock):
    """A pre-norm block whose shifts, scales and gates come from the action; all start at zero: identity."""

    def __init__(self, width: int, config: TransformerConfig, attention: nn.Module | None) -> None:
        super().__init__()
        self.attention = attention
        self.mlp = nn.Sequential(
            Linear(width, config.mlp_size),
            nn.GELU(),
            GlobalDropout(config.dropout),
            Linear(config.mlp_size, width),
            GlobalDropout(config.dropout),
        )
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        modulation = Linear(width, (6 if attention else 3) * width)
        nn.init.zeros_(modulation.weight)
        nn.init.zeros_(modulation.bias)
        self.modulation = nn.Sequential(nn.SiLU(), modulation)

    def attended(self, x_NLE: Tensor, modulation: Sequence[Tensor]) -> Tensor:
        """Returns what attention sees of tokens."""
        shift, scale, _ = modulation[3:]
        return self._modulated(x_NLE, shift, scale)

    def branches(self, x_NLE: Tensor, modulation: Sequence[Tensor], y_NLE: Tensor | None) -> Tensor:
        """Returns tokens after both branches; `y_NLE` is attention's output."""
        if y_NLE is not None:
            x_NLE = x_NLE + modulation[5] * y_NLE
        shift, scale, gate = modulation[:3]
        out_NLE: Tensor = x_NLE + gate * self.mlp(self._modulated(x_NLE, shift, scale))
        return out_NLE

    def _modulated(self, x_NLE: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        modulated_NLE: Tensor = self.norm(x_NLE) * (1 + scale) + shift
        return modulated_NLE
