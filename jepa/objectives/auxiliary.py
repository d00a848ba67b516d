"""Joint latent dynamics and regression of a named quantity (arXiv:2509.12249).

    L = mean (ẑ_{t+1} - z_{t+1})² + c · mean (head(z_t) - p_t)²
No teacher, no stopped gradient, no regulariser: with zero loss, states that differ in the quantity now or after any
actions have different latents. What the quantity never depends on may be forgotten.
Shapes: B clips, T frames, D latent, d values of the quantity.
"""

from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from jepa.core.clips import Clips
from jepa.core.collectives import global_mean
from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.numerics import at_least_float32
from jepa.models.world_model import WorldModel
from jepa.objectives.diagnostics import latent_diagnostics
from jepa.objectives.objective import OBJECTIVES, Objective


class AuxiliaryConfig(Config):
    """What is regressed, and how much it counts."""

    quantity: str = "agent_position"
    """Name of a quantity of the world's state."""
    quantity_size: PositiveInt = 2
    """d, its number of values."""
    quantity_scale: PositiveFloat = 1.0
    """What its values are divided by, to be of the order of one."""
    weight: PositiveFloat = 5.0
    """c"""
    head_size: PositiveInt = 256
    """Hidden size of the regression head."""


@OBJECTIVES.register("auxiliary")
class Auxiliary(Objective):
    """Next-latent prediction, kept from collapse by a quantity that must be read from each latent."""

    Config = AuxiliaryConfig
    config: AuxiliaryConfig

    def __init__(self, model: WorldModel, config: AuxiliaryConfig) -> None:
        super().__init__(model, config)
        self.head = nn.Sequential(
            nn.Linear(model.config.latent_size, config.head_size),
            nn.GELU(),
            nn.Linear(config.head_size, config.quantity_size),
        )

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        """Returns `loss`, `prediction`, `regression` and, with diagnostics, those of `latent_diagnostics`.

        Raises:
            InputError: the clips do not carry the quantity, or it has another number of values.
        """
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        zhat_BTD = self.model.predict(z_BTD[:, :-1], clips.action_BTKA)
        prediction = global_mean((zhat_BTD - z_BTD[:, 1:]).square())
        quantity_BTd = self._quantity(clips).to(z_BTD) / self.config.quantity_scale
        regression = global_mean((at_least_float32(self.head(z_BTD)) - quantity_BTd).square())
        terms = {
            "loss": prediction + self.config.weight * regression,
            "prediction": prediction.detach(),
            "regression": regression.detach(),
        }
        return terms | (latent_diagnostics(z_BTD) if diagnostics else {})

    def _quantity(self, clips: Clips) -> Tensor:
        name, size = self.config.quantity, self.config.quantity_size
        if name not in clips.state:
            known = ", ".join(sorted(clips.state)) or "none"
            raise InputError(f"objective_options.quantity: {name!r} is not in the dataset; choose one of: {known}")
        found = clips.state[name].shape[-1]
        if found != size:
            raise InputError(f"objective_options.quantity_size: {name!r} has {found} values, got {size}")
        return clips.state[name]
