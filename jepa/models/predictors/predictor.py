"""What a predictor is: a network from latents and embedded actions to the next latents, under a name.

Shapes: N sequences, L frames (at most the history), D latent, E width of an embedded action.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, PositiveInt
from torch import Tensor, nn

from jepa.core.config import Config, parse_options
from jepa.core.registries.registry import Registry


class PredictorConfig(Config):
    """What the options of every predictor hold: the sizes of the action encoder in front of it."""

    action_mlp_size: PositiveInt = 128
    """Hidden size of the MLP that embeds an action block."""
    action_inner_size: PositiveInt | None = None
    """Size of the linear layer before that MLP; the number of values in an action block by default."""


class TransformerConfig(PredictorConfig):
    """Sizes that predictors made of transformer blocks have in common."""

    depth: PositiveInt = 2
    """Number of transformer blocks."""
    heads: PositiveInt = 4
    """Attention heads."""
    head_size: PositiveInt = 32
    """Size of one attention head."""
    mlp_size: PositiveInt = 256
    """Hidden size of a transformer block's MLP."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of activations dropped in attention and MLP while training."""


class Predictor(nn.Module, ABC):
    """Predicts each frame's successor from at most `history` frames and the actions taken at them."""

    Config: ClassVar[type[PredictorConfig]]

    def __init__(self, config: Any, latent_size: int, history: int, tokens: int = 1) -> None:
        """Starts a predictor.

        Args:
            config: of the class's `Config`.
            latent_size: D.
            history: most frames that are looked back on, the current one included.
            tokens: equal parts, one after another, that a latent is made of; 1 where it is no row of patch tokens.
        """
        super().__init__()
        self.config = config
        self.history = history

    @classmethod
    def action_width(cls, config: Any, latent_size: int) -> int:
        """Returns E, the size in which actions are embedded for this predictor; the latent's own by default."""
        return latent_size

    @abstractmethod
    def forward(self, z_NLD: Tensor, action_NLE: Tensor) -> Tensor:
        """Returns (N, L, D): entry l predicts the latent after frame l from frames 1 … l alone.

        Args:
            z_NLD: latents of L consecutive frames, 1 <= L <= history.
            action_NLE: embedded actions taken at them.
        """


PREDICTORS: Registry[type[Predictor]] = Registry(
    "predictor",
    {
        "lean": "jepa.models.predictors.lean",
        "paper": "jepa.models.predictors.paper",
        "tokens": "jepa.models.predictors.tokens",
    },
    group="jepa.predictors",
)


def predictor_config(name: str, options: Mapping[str, Any]) -> PredictorConfig:
    """Returns the validated configuration of a registered predictor.

    Raises:
        InputError: the name is unknown, or an option does not fit; the message names it.
    """
    return parse_options(PREDICTORS.get(name).Config, options, "predictor_options")
