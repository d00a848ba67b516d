"""Head `temporal`: how many environment steps lie between two latents, for a cost that grows with the way to go.

A low quantile of the separations of logged frames: of several ways between two places the short ones count.
Separations are drawn evenly from 0 to `longest`; a share of the first latents is imagined, for those are what a search
compares; and a share of the pairs are of two episodes, which count as farther than any. What is fitted is the square
root of the share of `longest`, a monotone map that leaves quantiles where they are and gives near pairs more weight.
Shapes: B pairs, K actions in an action block, H action blocks, D latent.
"""

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.head import Head, HeadConfig, HeadSizes, perceptron
from jepa.planning.heads.registry import HEADS


class TemporalConfig(HeadConfig):
    """The network, and the pairs that it learns from."""

    longest: PositiveInt = 64
    """largest separation in environment steps"""
    quantile: float = Field(0.25, gt=0, lt=1)
    """quantile of the separations that is fitted"""
    imagined: float = Field(0.5, ge=0, le=1)
    """share of the pairs whose first latent is imagined, from the frame so many action blocks before it"""
    horizon: PositiveInt = 5
    """most action blocks that are imagined"""
    across: float = Field(0.2, ge=0, lt=1)
    """pairs of two episodes for each pair of one"""
    far: PositiveFloat = 1.5
    """separation of such pairs, in units of `longest`"""


@HEADS.register("temporal")
class TemporalHead(Head):
    """Answers with the environment steps from one latent to another."""

    kind = "temporal"
    Config = TemporalConfig
    config: TemporalConfig

    def __init__(self, config: TemporalConfig, sizes: HeadSizes) -> None:
        super().__init__(config, sizes)
        self.network = perceptron(2 * sizes.latent_size, 1, config)

    def loss(self, data: LatentEpisodes, model: WorldModel, generator: torch.Generator) -> Tensor:
        """Returns the quantile loss over pairs of real frames, of imagined and real ones, and of two episodes."""
        config, frameskip = self.config, self.sizes.frameskip
        imagined = round(config.batch_size * config.imagined)
        blocks = min(config.horizon, (data.longest - 1) // frameskip)
        if not blocks:
            imagined = 0
        parts = []
        if imagined:
            lead = frameskip * int(torch.randint(1, blocks + 1, (1,), generator=generator))
            pairs = data.pairs(imagined, config.longest, generator, shortest=0, lead=lead)
            done_BHKA = data.blocks(pairs.first_B - lead, lead).unflatten(1, (-1, frameskip))
            with torch.no_grad():
                first_BD = model.rollout(data.z_ND[pairs.first_B - lead][:, None], done_BHKA)[:, -1]
            parts.append((first_BD, data.z_ND[pairs.second_B], pairs.separation_B / config.longest))
        if imagined < config.batch_size:
            pairs = data.pairs(config.batch_size - imagined, config.longest, generator, shortest=0)
            parts.append((data.z_ND[pairs.first_B], data.z_ND[pairs.second_B], pairs.separation_B / config.longest))
        first_BD, second_BD, share_B = (torch.cat(part) for part in zip(*parts, strict=True))
        loss = self._quantile_loss(first_BD, second_BD, share_B)
        across = round(config.batch_size * config.across)
        rows_2B = torch.randint(len(data.z_ND), (2, across), generator=generator).to(data.z_ND.device)
        ends_E = data.start_E + data.steps_E
        two = torch.searchsorted(ends_E, rows_2B[0]) != torch.searchsorted(ends_E, rows_2B[1])
        first_B, second_B = rows_2B[:, two]
        far_B = torch.full((len(first_B),), config.far, device=share_B.device)
        if len(first_B):
            loss = loss + config.across * self._quantile_loss(data.z_ND[first_B], data.z_ND[second_B], far_B)
        return loss

    def forward(self, z_XD: Tensor, goal_XD: Tensor) -> Tensor:
        """Returns environment steps (...) from latents (..., D) to others (..., D) of the same shape."""
        root_X = self._root(z_XD, goal_XD).clamp_min(0)
        steps_X: Tensor = root_X.square() * self.config.longest
        return steps_X

    def _root(self, z_XD: Tensor, goal_XD: Tensor) -> Tensor:
        root_X: Tensor = self.network(torch.cat([self.scaled(z_XD), self.scaled(goal_XD)], dim=-1))[..., 0]
        return root_X

    def _quantile_loss(self, z_BD: Tensor, goal_BD: Tensor, share_B: Tensor) -> Tensor:
        short_B = share_B.sqrt() - self._root(z_BD, goal_BD)
        return torch.maximum(self.config.quantile * short_B, (self.config.quantile - 1) * short_B).mean()
