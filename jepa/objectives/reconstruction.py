"""Prediction at the level of the input: the baseline that latent prediction is compared with (arXiv:2606.27014).

    L = mean (decoder(ẑ_{t+1}) - x_{t+1})² + c · mean (decoder(z_t) - x_t)²
The second term ties predicted and encoded latents to one decoder, so that a plan can compare them.
Shapes: B clips, T frames, H × W pixels, D latent, R side of the decoded picture.
"""

from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.collectives import global_mean
from jepa.core.config import Config
from jepa.models.decoder import ConvDecoder, pictures
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import OBJECTIVES, Objective
from jepa.objectives.terms.diagnostics import latent_diagnostics


class ReconstructionConfig(Config):
    """The decoder's sizes, and how much decoding the present counts."""

    present_weight: NonNegativeFloat = 1.0
    """c"""
    doublings: int = Field(3, ge=0, le=6)
    """Times that the decoder doubles its 4 × 4 grid; R is 32 by default. Frames are averaged down to it."""
    channels: PositiveInt = 32
    """Width of the decoder's convolutions."""


@OBJECTIVES.register("reconstruction")
class Reconstruction(Objective):
    """Predicts the next frame's pixels through the latent; nothing keeps the latents apart but what must be drawn."""

    Config = ReconstructionConfig
    config: ReconstructionConfig

    def __init__(self, model: WorldModel, config: ReconstructionConfig) -> None:
        super().__init__(model, config)
        self.decoder = ConvDecoder(model.config.latent_size, config.doublings, config.channels)

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, `prediction`, `present` and, with diagnostics, those of `latent_diagnostics`."""
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        zhat_BTD = self.model.predict(z_BTD[:, :-1], clips.action_BTKA)
        prediction = self._error(zhat_BTD, clips.pixels_BTHWC[:, 1:])
        present = self._error(z_BTD, clips.pixels_BTHWC)
        terms = {
            "loss": prediction + self.config.present_weight * present,
            "prediction": prediction.detach(),
            "present": present.detach(),
        }
        return terms | (latent_diagnostics(z_BTD) if diagnostics else {})

    def _error(self, z_BTD: Tensor, pixels_BTHWC: Tensor) -> Tensor:
        drawn = self.decoder(z_BTD.flatten(0, 1))
        true = pictures(pixels_BTHWC.flatten(0, 1), self.decoder.side, z_BTD.dtype)
        return global_mean((drawn - true).square())
