"""One point of the grid of `identifiability`; every default is the paper's protocol."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from jepa.studies.identifiability.encoders import EncoderName
from jepa.studies.identifiability.mixings import MixingName
from jepa.studies.identifiability.training import ObjectiveName, Schedule
from jepa.studies.identifiability.world import LatentWorld, PairMode
from jepa.studies.study import Cell

Experiment = Literal["closed_forms", "scaling", "latents", "grid", "rates", "actions", "pixels", "reacher"]


class IdentifiabilityCell(Cell):
    """A world, an encoder and how it is trained."""

    experiment: Experiment
    """Which of the study's experiments it belongs to."""
    dim: PositiveInt = 2
    """Dimensions of state and latents."""
    rho: float = Field(0.95, gt=0, lt=1)
    """Correlation of a state and its successor."""
    rho_fast: float | None = Field(None, gt=0, lt=1)
    """That of the last half of the dimensions, where they differ."""
    alpha: PositiveFloat = 2.0
    """Shape of the state's distribution; 2 is Gaussian, large ones are uniform."""
    pair_mode: PairMode = "chain"
    """Whether a view follows the other, or both are noised from one anchor, as in the paper's code."""
    mixing: MixingName = "coupling"
    """What hides the state."""
    layers: PositiveInt = 4
    """Layers of the coupling, of the mixing and of a matched encoder."""
    encoder: EncoderName = "mlp"
    """Kind of encoder."""
    width: PositiveInt = 256
    """Width of the MLP's hidden layers; channels of the last convolution."""
    hidden: PositiveInt = 3
    """Hidden layers of the MLP."""
    objective: ObjectiveName = "lejepa"
    """What keeps the latents from zero."""
    weight: float = Field(1e-3, ge=0, lt=1)
    """λ, the share of SIGReg or of whiteness."""
    directions: PositiveInt = 256
    """Random directions of SIGReg."""
    steps: PositiveInt = 20_000
    """Optimiser steps."""
    batch: PositiveInt = 256
    """Pairs of a step."""
    learning_rate: PositiveFloat = 3e-3
    """Peak learning rate of AdamW."""
    weight_decay: NonNegativeFloat = 0.0
    """Of AdamW."""
    restarts: PositiveInt = 1
    """Trainings from other weights, of which the one with the lowest loss is kept."""
    samples: PositiveInt = 10_000
    """States on which the metrics are measured."""
    actions: PositiveInt = 2
    """Action dimensions of the acted world."""
    strength: float = Field(0.5, gt=0, lt=1)
    """Share of the transition's noise that actions make along their directions."""
    image_size: PositiveInt = 64
    """Side of the pictures in pixels."""
    frames: PositiveInt = 100_000
    """Pairs of pictures that Reacher is rendered in, once."""

    @property
    def rates(self) -> tuple[float, ...]:
        """Returns the correlation of each dimension."""
        fast = 0 if self.rho_fast is None else self.dim // 2
        return (self.rho,) * (self.dim - fast) + (self.rho_fast or self.rho,) * fast

    @property
    def world(self) -> LatentWorld:
        """Returns the latent world."""
        return LatentWorld(self.rates, self.alpha, self.pair_mode)

    @property
    def schedule(self) -> Schedule:
        """Returns how long and how fast it learns."""
        return Schedule(self.steps, self.learning_rate, self.weight_decay)
