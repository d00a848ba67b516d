"""Head `temporal`: how many environment steps lie between two latents, for a cost that grows with the way to go.

It is a quasimetric (`quasimetric.py`), fitted to low quantiles of two kinds of figures, for of several ways between
two places the short ones count:

- the separations of frames of one episode, drawn evenly from 0 to `longest`;
- k + τ'(z_{t+k}, z_g), what was done for an action block, and then what a copy of the head that lags behind says of the
  rest, for goals of the same episode and of others.

The second joins episodes that pass the same place: it knows ways that no episode went from end to end. A goal that
nothing leads to grows farther by it up to `far`. A share of the first latents is imagined by recorded actions, for such
latents are what a search compares. And no latent that is imagined of invented actions may be nearer to a goal than the
frame that it starts from by more steps than the actions take: a search would find it.
What is fitted is the square root of the share of `longest`, a monotone map that leaves quantiles where they are and
gives near pairs more weight.
Shapes: B pairs, K actions in an action block, H action blocks, A action dimensions, D latent.
"""

from copy import deepcopy

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.head import Head, HeadSizes
from jepa.planning.heads.imagined import seen_or_imagined
from jepa.planning.heads.quasimetric import Quasimetric, QuasimetricConfig
from jepa.planning.heads.registry import HEADS


class TemporalConfig(QuasimetricConfig):
    """The distance, and the pairs that it learns from."""

    longest: PositiveInt = 64
    """largest separation in environment steps"""
    quantile: float = Field(0.25, gt=0, lt=1)
    """quantile of the separations that is fitted"""
    joined_quantile: float = Field(0.1, gt=0, lt=1)
    """quantile of the steps of joined ways that is fitted"""
    joined_weight: NonNegativeFloat = 1.0
    """weight of joined ways beside the separations of one episode"""
    across: float = Field(0.5, ge=0, le=1)
    """share of joined ways whose goal is any frame; that of the others comes later in the same episode"""
    far: PositiveFloat = 1.5
    """longest joined way, in units of `longest`"""
    lag: float = Field(0.995, ge=0, lt=1)
    """share of its own weights that the copy keeps in each optimiser step"""
    invented_weight: NonNegativeFloat = 0.5
    """weight of the bound on what is imagined of invented actions"""


@HEADS.register("temporal")
class TemporalHead(Head):
    """Answers with the environment steps from one latent to another."""

    kind = "temporal"
    Config = TemporalConfig
    version = 2
    joins_training = False
    config: TemporalConfig

    def __init__(self, config: TemporalConfig, sizes: HeadSizes) -> None:
        super().__init__(config, sizes)
        self.network = Quasimetric(sizes.latent_size, config)
        self._lagging: list[Quasimetric] = []
        """The copy, in a list so that it is no part of the weights that are kept; made with the first batch."""

    def loss(self, data: LatentEpisodes, model: WorldModel, generator: torch.Generator) -> Tensor:
        """Returns the quantile losses of logged and of joined ways, and the bound on what is invented."""
        config = self.config
        self._follow()
        lead = config.draw_lead(data, self.sizes.frameskip, generator)
        pairs = data.pairs(config.batch_size, config.longest, generator, shortest=0, lead=lead)
        first_BD = seen_or_imagined(data, model, pairs.first_B, lead, config.imagined)
        share_B = pairs.separation_B / config.longest
        loss = self._quantile_loss(first_BD, data.z_ND[pairs.second_B], share_B, config.quantile)
        if config.joined_weight:
            loss = loss + config.joined_weight * self._joined_loss(data, model, lead, generator)
        if config.invented_weight:
            loss = loss + config.invented_weight * self._invented_loss(data, model, generator)
        return loss

    def forward(self, z_XD: Tensor, goal_XD: Tensor) -> Tensor:
        """Returns environment steps (...) from latents (..., D) to others, whose shape fits theirs by broadcasting."""
        return self._share(self.network, z_XD, goal_XD) * self.config.longest

    def _joined_loss(self, data: LatentEpisodes, model: WorldModel, lead: int, generator: torch.Generator) -> Tensor:
        """Returns the quantile loss of an action block that was done and what the copy says of the rest."""
        config, every = self.config, data.frame_every
        taken = min(self.sizes.frameskip, (data.longest - lead) // every * every)
        pairs = data.pairs(config.batch_size, config.longest, generator, shortest=taken, lead=lead)
        any_B = data.any_rows(config.batch_size, generator=generator)
        anywhere_B = torch.rand(config.batch_size, generator=generator) < config.across
        device = data.z_ND.device
        goal_BD = data.z_ND[torch.where(anywhere_B.to(device), any_B.to(device), pairs.second_B)]
        first_BD = seen_or_imagined(data, model, pairs.first_B, lead, config.imagined)
        share_B = taken / config.longest + self._lagging_share(data.z_ND[pairs.first_B + taken], goal_BD)
        return self._quantile_loss(first_BD, goal_BD, share_B.clamp_max(config.far), config.joined_quantile)

    def _invented_loss(self, data: LatentEpisodes, model: WorldModel, generator: torch.Generator) -> Tensor:
        """Returns by how much latents of invented actions are nearer to a goal than their steps allow."""
        config, frameskip, device = self.config, self.sizes.frameskip, data.z_ND.device
        count = max(1, config.batch_size // 2)
        blocks = int(torch.randint(1, config.horizon + 1, (1,), generator=generator))
        row_2B = data.any_rows(2, count, generator=generator).to(device)
        start_BD, goal_BD = data.z_ND[row_2B]
        with torch.no_grad():
            action_BHKA = self._invented(data, (count, blocks, frameskip), generator)
            end_BD = model.rollout(start_BD[:, None], action_BHKA)[:, -1].float()
            least_B = self._lagging_share(start_BD, goal_BD) - blocks * frameskip / config.longest
        found_B = self._share(self.network, end_BD, goal_BD)
        return (self._root(least_B.clamp_min(0)) - self._root(found_B)).clamp_min(0).mean()

    def _invented(self, data: LatentEpisodes, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        """Returns actions (B, H, K, A) all over the recorded range, alike within a block, many of them at its ends."""
        low_A, high_A = data.action_NA.amin(0), data.action_NA.amax(0)
        size = len(low_A)
        common = torch.randn(*shape[:2], 1, size, generator=generator)
        unit = (1.2 * common + 0.7 * torch.randn(*shape, size, generator=generator)).clamp(-1, 1).to(low_A.device)
        return (low_A + high_A) / 2 + unit * (high_A - low_A) / 2

    def _follow(self) -> None:
        """Moves the copy towards the network."""
        if not self._lagging:
            self._lagging.append(deepcopy(self.network))
        with torch.no_grad():
            for held, new in zip(self._lagging[0].parameters(), self.network.parameters(), strict=True):
                held.lerp_(new, 1 - self.config.lag)

    @torch.no_grad()
    def _lagging_share(self, z_BD: Tensor, goal_BD: Tensor) -> Tensor:
        return self._share(self._lagging[0], z_BD, goal_BD)

    def _share(self, network: Quasimetric, z_XD: Tensor, goal_XD: Tensor) -> Tensor:
        """Returns the distance in units of `longest`."""
        share_X: Tensor = network(self.scaled(z_XD), self.scaled(goal_XD))
        return share_X

    def _root(self, share_B: Tensor) -> Tensor:
        # One step more, for the root of nothing has no slope.
        return (share_B + 1 / self.config.longest).sqrt()

    def _quantile_loss(self, z_BD: Tensor, goal_BD: Tensor, share_B: Tensor, quantile: float) -> Tensor:
        short_B = self._root(share_B) - self._root(self._share(self.network, z_BD, goal_BD))
        return torch.maximum(quantile * short_B, (quantile - 1) * short_B).mean()
