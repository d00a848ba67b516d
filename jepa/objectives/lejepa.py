"""LeJEPA's objective (arXiv:2511.08544) on the two views that a transition is: a frame and its successor.

    L = (1 - λ) · alignment + λ · SIGReg(Z),   alignment = mean over both views of (view - mean of the views)²
The encoder learns from these alone: latents that change slowly and are Gaussian (arXiv:2605.26379 says when those are
the world's own). Planning needs a predictor too; it is fitted to the latents as they are, and no gradient of its error
reaches the encoder.
Shapes: B clips, T frames, D latent.
"""

from pydantic import Field
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.collectives import global_mean
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import OBJECTIVES
from jepa.objectives.predictive import PredictiveConfig, PredictiveObjective
from jepa.objectives.terms.diagnostics import latent_diagnostics
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig


class LeJEPAConfig(PredictiveConfig):
    """The share of SIGReg, and SIGReg's own configuration."""

    sigreg_weight: float = Field(0.05, gt=0.0, lt=1.0)
    """λ; it goes with the global batch size, as SIGReg does."""
    sigreg: SIGRegConfig = SIGRegConfig()
    """The regulariser's configuration."""


@OBJECTIVES.register("lejepa")
class LeJEPA(PredictiveObjective):
    """Alignment of successive frames plus SIGReg; the predictor learns beside it."""

    Config = LeJEPAConfig
    config: LeJEPAConfig

    def __init__(self, model: WorldModel, config: LeJEPAConfig) -> None:
        super().__init__(model, config)
        self.sigreg = SIGReg(config.sigreg)

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, `alignment`, `sigreg`, `prediction` and, with diagnostics, those of `latent_diagnostics`.

        No gradient of open-loop errors reaches the encoder, either; that of a joint head does.
        """
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        alignment = global_mean(((z_BTD[:, 1:] - z_BTD[:, :-1]) / 2).square())
        sigreg = self.sigreg(z_BTD.transpose(0, 1), step, self.seed)
        fixed_BTD = z_BTD.detach()
        zhat_BTD = self.model.predict(fixed_BTD[:, :-1], clips.action_BTKA)
        prediction = global_mean((zhat_BTD - fixed_BTD[:, 1:]).square())
        weight = self.config.sigreg_weight
        terms = {
            "loss": (1 - weight) * alignment + weight * sigreg + prediction,
            "alignment": alignment.detach(),
            "sigreg": sigreg.detach(),
            "prediction": prediction.detach(),
        }
        at_rest = {"start_BTD": fixed_BTD, "target_BTD": fixed_BTD}
        terms = self.with_options(terms, clips, step, total_steps, z_BTD, **at_rest)
        return terms | (latent_diagnostics(z_BTD, sigreg=False) if diagnostics else {})
