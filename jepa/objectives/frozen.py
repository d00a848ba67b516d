"""Prediction of the latents of a pretrained encoder that stays as it is (DINO-WM, arXiv:2411.04983, section 3).

    L = mean (ẑ_{t+1} - z_{t+1})²,   over all tokens where the latent is made of patch tokens
The encoder cannot collapse, so nothing keeps it from it: no regulariser, no teacher.
Shapes: B clips, T frames, D latent.
"""

import hashlib
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import Field, field_validator
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.collectives import global_mean, sum_over_hosts
from jepa.core.errors import InputError
from jepa.core.input.files import read_file
from jepa.models.pretrained import load_encoder
from jepa.models.weights_file import read_tensors
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import OBJECTIVES
from jepa.objectives.predictive import PredictiveConfig, PredictiveObjective


class FrozenConfig(PredictiveConfig):
    """Where the encoder's weights are."""

    weights: str | None = None
    """Local file, safetensors or .pt, with the encoder's weights: a ViT of DINO, DINOv2 or Hugging Face, torchvision's
    ResNet-18, or a model of this project. A run needs it at its start only."""
    weights_sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Digest that the file must have."""
    weights_prefix: str | None = None
    """How the names of the encoder's tensors begin, where the file holds those of several models."""

    @field_validator("weights")
    @classmethod
    def _absolute(cls, weights: str | None) -> str | None:
        # Workers may stand in another folder than the one who asks.
        return weights and str(Path(weights).expanduser().absolute())


@OBJECTIVES.register("frozen")
class Frozen(PredictiveObjective):
    """Next-latent prediction on a frozen encoder; only predictor and action encoder learn.

    Where the file is not there, `missing` says so and the first step raises it, unless a state is loaded before.
    """

    Config = FrozenConfig
    config: FrozenConfig

    def __init__(self, model: WorldModel, config: FrozenConfig) -> None:
        """Loads and freezes the encoder.

        Raises:
            InputError: the file is damaged, or its weights do not fit the model.
        """
        super().__init__(model, config)
        for part in (model.encoder, model.projector):
            part.requires_grad_(False).eval()
        self.missing = self._load()
        self._asked_others = False
        self.register_load_state_dict_post_hook(_have_weights)  # type: ignore[no-untyped-call] # torch leaves it untyped

    def _load(self) -> str | None:
        """Gives the encoder its weights; returns the sentence to say where there is no file."""
        if self.config.weights is None:
            return "objective_options.weights is missing; give a local file with the frozen encoder's weights"
        try:
            data = read_file(f"objective_options.weights {self.config.weights!r}", self.config.weights)
        except InputError as error:
            return str(error)
        digest = hashlib.sha256(data).hexdigest()
        if self.config.weights_sha256 not in (None, digest):
            raise InputError(
                f"objective_options.weights_sha256 is {self.config.weights_sha256} and the file "
                f"{self.config.weights!r} has {digest}; take the file that was meant"
            )
        try:
            load_encoder(self.model, read_tensors(data), self.config.weights_prefix)
        except InputError as error:
            raise InputError(f"objective_options.weights {self.config.weights!r}: {error}") from error
        return None

    def train(self, mode: bool = True) -> Self:
        """Sets the mode of all but the encoder: its running statistics and all else of it stay."""
        super().train(mode)
        for part in (self.model.encoder, self.model.projector):
            part.eval()
        return self

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, `prediction` and, with diagnostics, `change`: the loss of saying that nothing changes.

        There are no figures of the latents' health, for they are what they were.

        Raises:
            InputError: the encoder has no weights.
        """
        self._check_weights()
        with torch.no_grad():
            z_BTD = self.model.encode(clips.pixels_BTHWC)
        zhat_BTD = self.model.predict(z_BTD[:, :-1], clips.action_BTKA)
        prediction = global_mean((zhat_BTD - z_BTD[:, 1:]).square())
        terms = {"loss": prediction, "prediction": prediction.detach()}
        terms = self.with_options(terms, clips, step, total_steps, z_BTD)
        return terms | ({"change": global_mean(z_BTD.diff(dim=1).square())} if diagnostics else {})

    def _check_weights(self) -> None:
        """Passes where every process has weights: one that stopped alone would leave the others waiting for it."""
        if not self._asked_others and sum_over_hosts(int(self.missing is not None)):
            raise InputError(self.missing or "objective_options.weights cannot be read by another of the workers")
        self._asked_others = True


def _have_weights(objective: Any, keys: Any) -> None:
    """A state that was loaded brought the encoder's weights."""
    objective.missing = None
