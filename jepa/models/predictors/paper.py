"""The predictor of the released LeWorldModel (arXiv:2603.19312), layer by layer, so that its weights fit.

It differs from the lean predictor in what the paper leaves open: a second, learned LayerNorm inside each branch, after
the action's modulation; queries, keys and values without bias; positions that start at unit variance; attention even
over a history of one frame. It is as wide as the latent, and ends in a projector.
Shapes: N sequences, L frames (at most the history), D latent and width alike.
"""

from collections.abc import Sequence

from pydantic import PositiveInt
from torch import Tensor, nn

from jepa.models.layers.attention import Attention
from jepa.models.layers.dropout import GlobalDropout
from jepa.models.layers.heads import Projector
from jepa.models.layers.initial import drawn_normal
from jepa.models.layers.linear import Linear
from jepa.models.predictors.predictor import PREDICTORS, TransformerConfig
from jepa.models.predictors.transformer import ActionBlock, TransformerPredictor


class PaperConfig(TransformerConfig):
    """Sizes of the released form; its width is the latent's."""

    projector_size: PositiveInt = 2048
    """Hidden size of the MLP with BatchNorm that it ends in."""


class PaperBlock(ActionBlock):
    """Attention and MLP, each shifted, scaled and gated by the action (AdaLN-zero): identity at the start."""

    def __init__(self, width: int, config: PaperConfig) -> None:
        super().__init__()
        dropout = config.dropout
        self.plain_norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, config.heads, config.head_size, causal=True, dropout=dropout, qkv_bias=False)
        self.attention_dropout = GlobalDropout(dropout)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width),
            Linear(width, config.mlp_size),
            nn.GELU(),
            GlobalDropout(dropout),
            Linear(config.mlp_size, width),
            GlobalDropout(dropout),
        )
        modulation = Linear(width, 6 * width)
        nn.init.zeros_(modulation.weight)
        nn.init.zeros_(modulation.bias)
        self.modulation = nn.Sequential(nn.SiLU(), modulation)

    def attended(self, x_NLD: Tensor, modulation: Sequence[Tensor]) -> Tensor:
        """Returns what attention sees of tokens."""
        shift, scale = modulation[:2]
        attended_NLD: Tensor = self.attention_norm(self.plain_norm(x_NLD) * (1 + scale) + shift)
        return attended_NLD

    def branches(self, x_NLD: Tensor, modulation: Sequence[Tensor], y_NLD: Tensor | None) -> Tensor:
        """Returns tokens after both branches; `y_NLD` is attention's output."""
        assert y_NLD is not None
        gate, mlp_shift, mlp_scale, mlp_gate = modulation[2:]
        x_NLD = x_NLD + gate * self.attention_dropout(y_NLD)
        out_NLD: Tensor = x_NLD + mlp_gate * self.mlp(self.plain_norm(x_NLD) * (1 + mlp_scale) + mlp_shift)
        return out_NLD


@PREDICTORS.register("paper")
class PaperPredictor(TransformerPredictor):
    """Works on the latents themselves, in their own width."""

    Config = PaperConfig

    def __init__(self, config: PaperConfig, latent_size: int, history: int, tokens: int = 1) -> None:
        super().__init__(config, latent_size, history, tokens)
        self.position = nn.Parameter(drawn_normal(1, history, latent_size))
        self.blocks = nn.ModuleList(PaperBlock(latent_size, config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(latent_size)
        self.projector = Projector(latent_size, config.projector_size, latent_size, bias=True)

    def enter(self, z_NLD: Tensor, first: int = 0) -> Tensor:
        """Returns the latents at their places."""
        return z_NLD + self.position[:, first : first + z_NLD.shape[1]]

    def leave(self, x_NLD: Tensor, z_NLD: Tensor) -> Tensor:
        """Returns the next latents; the present ones play no part."""
        zhat_NLD: Tensor = self.projector(self.norm(x_NLD))
        return zhat_NLD
