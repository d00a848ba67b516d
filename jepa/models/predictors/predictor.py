"""What a predictor is: a network from latents and embedded actions to the next latents, under a name.

Shapes: N sequences, L frames (at most the history), D latent, E width of an embedded action; in a rollout P contexts of
T frames, which N = P · C sequences go on from, C each, for H steps.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from jepa.core.config import Config, parse_options
from jepa.core.numerics import at_least_float32
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

    def rollout(self, z_PTD: Tensor, past_action_PTE: Tensor, action_NHE: Tensor) -> Tensor:
        """Returns (N, H, D): the latents after each of H actions, each prediction feeding the next.

        It is the last entry of `forward` for each window. A predictor that knows what windows have in common computes
        the same with less.

        Args:
            z_PTD: latents of the contexts, T <= history, the last one the present; the first N/P sequences go on from
                the first, and so on.
            past_action_PTE: embedded actions taken at all frames but the last.
            action_NHE: embedded actions to take; the first acts on the last frame.
        """
        each, past = len(action_NHE) // max(1, len(z_PTD)), past_action_PTE.shape[1]
        z_NLD = z_PTD.repeat_interleave(each, 0)
        action_NLE = torch.cat([past_action_PTE.repeat_interleave(each, 0), action_NHE], dim=1)
        for step in range(action_NHE.shape[1]):
            end = past + step + 1
            start = max(0, end - self.history)
            zhat_ND = self(z_NLD[:, start:end], action_NLE[:, start:end])[:, -1]
            z_NLD = torch.cat([z_NLD, at_least_float32(zhat_ND)[:, None]], dim=1)
        return z_NLD[:, past + 1 :]


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
