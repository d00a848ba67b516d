"""Prediction of a slowly following teacher's latents, the classical remedy for collapse (BYOL, arXiv:2006.07733).

    L = mean (ẑ_{t+1} - z̄_{t+1})²,   teacher ← m · teacher + (1 - m) · encoder,   m from `momentum` to 1 along a cosine
z̄ comes from the teacher and carries no gradient.
Shapes: B clips, T frames, D latent.
"""

import copy
import math

import torch
from pydantic import Field
from torch import Tensor, nn

from jepa.core.clips import Clips
from jepa.core.collectives import global_mean
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import OBJECTIVES
from jepa.objectives.predictive import PredictiveConfig, PredictiveObjective
from jepa.objectives.terms.diagnostics import latent_diagnostics


class EMAConfig(PredictiveConfig):
    """How slowly the teacher follows."""

    momentum: float = Field(0.996, ge=0.0, le=1.0)
    """m at the first step."""

    def momentum_at(self, step: int, total_steps: int) -> float:
        """Returns m at a step."""
        return 1 - (1 - self.momentum) * 0.5 * (1 + math.cos(math.pi * step / max(1, total_steps)))


@OBJECTIVES.register("ema")
class EMA(PredictiveObjective):
    """Next-latent prediction with targets from an exponential moving average of the encoder."""

    Config = EMAConfig
    config: EMAConfig
    moves_weights = True

    def __init__(self, model: WorldModel, config: EMAConfig) -> None:
        super().__init__(model, config)
        self.teacher = copy.deepcopy(model)
        for part in ("predictor", "action_encoder"):  # a teacher only encodes
            setattr(self.teacher, part, nn.Identity())
        self.teacher.requires_grad_(False)

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, `prediction`, `momentum` and, with diagnostics, those of `latent_diagnostics`.

        The teacher takes its step here, before it is used; at step 0 it is the encoder itself.
        """
        momentum = self.config.momentum_at(step, total_steps)
        if self.training and step:
            self._follow(momentum)
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        with torch.no_grad():
            target_BTD = self.teacher.encode(clips.pixels_BTHWC)
        zhat_BTD = self.model.predict(z_BTD[:, :-1], clips.action_BTKA)
        prediction = global_mean((zhat_BTD - target_BTD[:, 1:]).square())
        terms = {"loss": prediction, "prediction": prediction.detach(), "momentum": prediction.new_full((), momentum)}
        terms = self.with_options(terms, clips, step, total_steps, z_BTD, target_BTD=target_BTD)
        return terms | (latent_diagnostics(z_BTD) if diagnostics else {})

    @torch.no_grad()
    def _follow(self, momentum: float) -> None:
        for part in ("encoder", "projector"):
            pairs = zip(getattr(self.teacher, part).parameters(), getattr(self.model, part).parameters(), strict=True)
            for slow, fast in pairs:
                slow.lerp_(fast, 1 - momentum)
