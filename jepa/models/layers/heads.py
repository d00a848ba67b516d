"""Two small networks around the predictor: the projector and the action encoder.

Shapes: N rows, F features, D latent, K actions in an action block, A action dimensions, E width.
"""

from torch import Tensor, nn

from jepa.models.layers.batch_norm import GlobalBatchNorm
from jepa.models.layers.linear import Linear


class Projector(nn.Module):
    """Linear → global BatchNorm → GELU → Linear, over the last dimension.

    A LayerNorm at the end of an encoder pins each row's norm, which no Gaussian has; this lets SIGReg shape latents.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int, bias: bool = False) -> None:
        super().__init__()
        # The norm takes off what a bias adds; only released weights carry one.
        self.hidden = Linear(input_size, hidden_size, bias=bias)
        self.norm = GlobalBatchNorm(hidden_size)
        self.activation = nn.GELU()
        self.out = Linear(hidden_size, output_size)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (..., output size) of (..., input size); leading dimensions are all rows of the batch."""
        rows_NF = self.hidden(x).flatten(0, -2)
        y: Tensor = self.out(self.activation(self.norm(rows_NF))).unflatten(0, x.shape[:-1])
        return y


class ActionEncoder(nn.Module):
    """Embeds an action block: Linear K·A → inner (K·A by default), Linear → hidden, SiLU, Linear → E."""

    def __init__(self, action_block_size: int, hidden_size: int, width: int, inner_size: int | None = None) -> None:
        super().__init__()
        inner_size = inner_size or action_block_size
        self.layers = nn.Sequential(
            Linear(action_block_size, inner_size),
            Linear(inner_size, hidden_size),
            nn.SiLU(),
            Linear(hidden_size, width),
        )

    def forward(self, action_BTKA: Tensor) -> Tensor:
        """Returns (B, T, E) of z-scored actions."""
        embedding_BTE: Tensor = self.layers(action_BTKA.flatten(2))
        return embedding_BTE
