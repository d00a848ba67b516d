"""A head that reads a named quantity from each latent, trained with the model.

Shapes: B clips, T frames, D latent, d values of the quantity.
"""

from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from jepa.core.clips import Clips
from jepa.core.collectives import global_mean
from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.numerics import at_least_float32


class QuantityHeadConfig(Config):
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


class QuantityHead(nn.Sequential):
    """One hidden layer from a latent (…, D) to the quantity (…, d)."""

    def __init__(self, latent_size: int, config: QuantityHeadConfig, field: str = "objective_options") -> None:
        """Takes the configuration, and the field that it stands in, which complaints name."""
        super().__init__(
            nn.Linear(latent_size, config.head_size), nn.GELU(), nn.Linear(config.head_size, config.quantity_size)
        )
        self.config, self.field = config, field

    def regression(self, z_BTD: Tensor, clips: Clips) -> Tensor:
        """Returns the mean square over the global batch of what the head reads less the quantity, both scaled.

        Raises:
            InputError: the clips do not carry the quantity, or it has another number of values.
        """
        quantity_BTd = self._quantity(clips).to(z_BTD) / self.config.quantity_scale
        return global_mean((at_least_float32(self(z_BTD)) - quantity_BTd).square())

    def _quantity(self, clips: Clips) -> Tensor:
        name, size = self.config.quantity, self.config.quantity_size
        if name not in clips.state:
            known = ", ".join(sorted(clips.state)) or "none"
            raise InputError(f"{self.field}.quantity: {name!r} is not in the dataset; choose one of: {known}")
        found = clips.state[name].shape[-1]
        if found != size:
            raise InputError(f"{self.field}.quantity_size: {name!r} has {found} values, got {size}")
        return clips.state[name]
