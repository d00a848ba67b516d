"""Joint latent dynamics and regression of a named quantity (arXiv:2509.12249).

    L = mean (ẑ_{t+1} - z_{t+1})² + c · mean (head(z_t) - p_t)²
No teacher, no stopped gradient, no regulariser: with zero loss, states that differ in the quantity now or after any
actions have different latents. What the quantity never depends on may be forgotten.
Shapes: B clips, T frames, D latent.
"""

from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.collectives import global_mean
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import OBJECTIVES
from jepa.objectives.predictive import PredictiveConfig, PredictiveObjective
from jepa.objectives.terms.diagnostics import latent_diagnostics
from jepa.objectives.terms.quantity_head import QuantityHead, QuantityHeadConfig


class AuxiliaryConfig(QuantityHeadConfig, PredictiveConfig):
    """What is regressed, and how much it counts."""


@OBJECTIVES.register("auxiliary")
class Auxiliary(PredictiveObjective):
    """Next-latent prediction, kept from collapse by a quantity that must be read from each latent."""

    Config = AuxiliaryConfig
    config: AuxiliaryConfig

    def __init__(self, model: WorldModel, config: AuxiliaryConfig) -> None:
        super().__init__(model, config)
        self.head = QuantityHead(model.config.latent_size, config)

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, `prediction`, `regression` and, with diagnostics, those of `latent_diagnostics`.

        Raises:
            InputError: the clips do not carry the quantity, or it has another number of values.
        """
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        zhat_BTD = self.model.predict(z_BTD[:, :-1], clips.action_BTKA)
        prediction = global_mean((zhat_BTD - z_BTD[:, 1:]).square())
        regression = self.head.regression(z_BTD, clips)
        terms = {
            "loss": prediction + self.config.weight * regression,
            "prediction": prediction.detach(),
            "regression": regression.detach(),
        }
        terms = self.with_options(terms, clips, step, total_steps, z_BTD)
        return terms | (latent_diagnostics(z_BTD) if diagnostics else {})
