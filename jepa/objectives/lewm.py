"""LeWorldModel's objective (arXiv:2603.19312, eq. 3): predict the next latent, and keep the latents Gaussian.

    L = mean (ẑ_{t+1} - z_{t+1})² + λ · SIGReg(Z)
Gradients flow through the targets too: no teacher, no stopped gradient, no reconstruction. With `head`, a quantity that
is to be read from each latent is regressed beside: + c · mean (head(z_t) - p_t)².
Shapes: B clips, T frames, H × W pixels, C colours, K actions of an action block, A action dimensions, D latent.
"""

from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.collectives import global_count, global_mean
from jepa.models.world_model import WorldModel
from jepa.objectives.objective import OBJECTIVES
from jepa.objectives.predictive import PredictiveConfig, PredictiveObjective
from jepa.objectives.terms.diagnostics import latent_diagnostics
from jepa.objectives.terms.quantity_head import QuantityHead, QuantityHeadConfig
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig


class LeWMConfig(PredictiveConfig):
    """The weight λ of SIGReg over the run, and SIGReg's own configuration.

    SIGReg grows in proportion to the global batch's N clips, so that λ · N is what counts: stated at a reference batch,
    λ is scaled to keep it. Annealed, it first spreads the latents out and
    then lets a world of few degrees of freedom keep its own shape instead of folding it into D Gaussian dimensions.
    """

    sigreg_weight: PositiveFloat = 0.1
    """λ at the start."""
    sigreg_weight_end: PositiveFloat = 0.01
    """λ at the end; equal to the start for a constant one."""
    reference_batch: PositiveInt | None = None
    """Clips in the global batch that λ is stated for: with N clips it is λ · reference_batch / N; by default λ is taken
    as it stands, whatever the batch."""
    hold: float = Field(0.2, ge=0.0, le=1.0)
    """Share of the steps after which λ begins to fall."""
    settle: float = Field(0.5, ge=0.0, le=1.0)
    """Share of the steps at which it has reached its end; between the two it falls geometrically."""
    sigreg: SIGRegConfig = SIGRegConfig()
    """The regulariser's configuration."""
    head: QuantityHeadConfig | None = None
    """An auxiliary task: a quantity that is read from each latent; none as released."""

    @model_validator(mode="after")
    def _ordered(self) -> "LeWMConfig":
        if self.settle < self.hold:
            raise ValueError(f"settle {self.settle} comes before hold {self.hold}; give settle >= hold")
        return self

    def weight(self, step: int, total_steps: int, batch_size: int | None = None) -> float:
        """Returns λ at a step, for a global batch of so many clips (the reference's by default)."""
        scale = self.reference_batch / batch_size if self.reference_batch and batch_size else 1.0
        return scale * self._stated_weight(step, total_steps)

    def _stated_weight(self, step: int, total_steps: int) -> float:
        done = step / max(1, total_steps)
        if done <= self.hold:
            return self.sigreg_weight
        progress = 1.0 if done >= self.settle else (done - self.hold) / (self.settle - self.hold)
        weight: float = self.sigreg_weight * (self.sigreg_weight_end / self.sigreg_weight) ** progress
        return weight


@OBJECTIVES.register("lewm")
class LeWM(PredictiveObjective):
    """Next-latent prediction, teacher forced, plus SIGReg; nothing else."""

    Config = LeWMConfig
    config: LeWMConfig

    def __init__(self, model: WorldModel, config: LeWMConfig) -> None:
        super().__init__(model, config)
        self.sigreg = SIGReg(config.sigreg)
        self.head = (
            None
            if config.head is None
            else QuantityHead(model.config.latent_size, config.head, "objective_options.head")
        )

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, `prediction`, `sigreg`, `lambda` and, with diagnostics, those of `latent_diagnostics`.

        With a head `regression` too, and what the shared options add.

        Raises:
            InputError: the clips do not carry the head's quantity, or it has another number of values.
        """
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        zhat_BTD = self.model.predict(z_BTD[:, :-1], clips.action_BTKA)
        prediction = global_mean((zhat_BTD - z_BTD[:, 1:]).square())
        sigreg = self.sigreg(z_BTD.transpose(0, 1), step, self.seed)
        clips_in_batch = global_count(len(z_BTD)) if self.config.reference_batch else None
        weight = self.config.weight(step, total_steps, clips_in_batch)
        terms = {
            "loss": prediction + weight * sigreg,
            "prediction": prediction.detach(),
            "sigreg": sigreg.detach(),
            "lambda": prediction.new_full((), weight),
        }
        if self.head is not None:
            regression = self.head.regression(z_BTD, clips)
            terms["loss"] = terms["loss"] + self.head.config.weight * regression
            terms["regression"] = regression.detach()
        terms = self.with_options(terms, clips, step, total_steps, z_BTD)
        return terms | (latent_diagnostics(z_BTD, sigreg=False) if diagnostics else {})
