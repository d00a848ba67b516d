"""Head `probe`: the world's recorded quantities, read off a latent; an angle as its sine and cosine.

It is fitted on recorded states, which nobody has who sees frames alone, and is privileged for that.
Shapes: B rows, N frames, D latent, X values of all quantities together.
"""

import torch
from pydantic import PositiveInt
from torch import Tensor

from jepa.core.errors import InputError
from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.head import Head, HeadSizes, perceptron
from jepa.planning.heads.imagined import ImaginedConfig, seen_or_imagined
from jepa.planning.heads.registry import HEADS


class ProbeHeadConfig(ImaginedConfig):
    """The network, and how many imagined latents it is shown."""

    steps: PositiveInt = 2000
    """optimiser steps, along a cosine to zero"""
    batch_size: PositiveInt = 512
    """latents of an optimiser step"""


@HEADS.register("probe")
class ProbeHead(Head):
    """Answers with quantities in the world's own units, and with the sine and cosine of angles."""

    kind = "probe"
    Config = ProbeHeadConfig
    privileged = True
    config: ProbeHeadConfig
    mean_X: Tensor
    spread_X: Tensor

    def __init__(self, config: ProbeHeadConfig, sizes: HeadSizes) -> None:
        """Builds the network.

        Raises:
            InputError: the episodes record no quantity.
        """
        super().__init__(config, sizes)
        self.columns: dict[str, slice] = {}
        """where each quantity stands among the values"""
        width = 0
        # In alphabetical order: a manifest that sizes come back from keeps no other.
        for name, size in sorted(sizes.quantities.items()):
            held = size * (2 if name in sizes.angles else 1)
            self.columns[name] = slice(width, width + held)
            width += held
        if not width:
            raise InputError("the dataset records no quantity, which head 'probe' would read; collect in a world")
        self.network = perceptron(sizes.latent_size, width, config)
        self.register_buffer("mean_X", torch.zeros(width))
        self.register_buffer("spread_X", torch.ones(width))

    def measure(self, data: LatentEpisodes) -> None:
        """Sets the scales of latents and of quantities: one spread for all dimensions of a quantity."""
        super().measure(data)
        for name, columns in self.columns.items():
            value_NX = self._values(data, name)
            self.mean_X[columns] = value_NX.mean(0)
            variance = value_NX.double().var(0, correction=0).mean()
            self.spread_X[columns] = float(variance) ** 0.5 if variance > 1e-12 else 1.0

    def loss(self, data: LatentEpisodes, model: WorldModel, generator: torch.Generator) -> Tensor:
        """Returns the mean squared error in units of the spreads; every quantity counts the same."""
        config = self.config
        lead = config.draw_lead(data, self.sizes.frameskip, generator)
        row_B = data.pairs(config.batch_size, 0, generator, shortest=0, lead=lead).first_B
        answer_BX = self.network(self.scaled(seen_or_imagined(data, model, row_B, lead, config.imagined)))
        errors = []
        for name, columns in self.columns.items():
            wanted_BX = (self._values(data, name, row_B) - self.mean_X[columns]) / self.spread_X[columns]
            errors.append((answer_BX[:, columns] - wanted_BX).square().mean())
        return torch.stack(errors).mean()

    def forward(self, z_XD: Tensor) -> Tensor:
        """Returns values (..., X) of latents (..., D)."""
        answer_X: Tensor = self.network(self.scaled(z_XD)) * self.spread_X + self.mean_X
        return answer_X

    def _values(self, data: LatentEpisodes, name: str, row_B: Tensor | None = None) -> Tensor:
        value_N = data.state[name] if row_B is None else data.state[name][row_B]
        if name in self.sizes.angles:
            return torch.cat([value_N.sin(), value_N.cos()], dim=1)
        return value_N
