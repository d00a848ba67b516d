"""Head `reachable`: whether a goal can be reached from a latent within a budget of environment steps.

As the auxiliary head of RC-aux (arXiv:2605.07278), but fitted afterwards, on a frozen model: pairs of frames of one
episode, separations and budgets drawn evenly from the same range, so that half the pairs are within their budget. Pairs
that took longer than the budget count as out of reach, as do pairs of two episodes, both with a small weight: an
episode that wanders says little of how soon it could have been there, and some pairs of two are near all the same.

The logit is κ (log budget − log d(z, z_g)) with a learned quasimetric d, in environment steps, and κ > 0: the time of
arrival is log-logistic with median d. So more budget never makes arriving less likely, and from the goal itself it is
certain.
Shapes: B pairs, D latent.
"""

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.head import Head, HeadSizes
from jepa.planning.heads.imagined import seen_or_imagined
from jepa.planning.heads.quasimetric import Quasimetric, QuasimetricConfig
from jepa.planning.heads.registry import HEADS


class ReachableConfig(QuasimetricConfig):
    """The distance, and the pairs that it learns from."""

    longest: PositiveInt = 64
    """largest separation, and largest budget, in environment steps"""
    longer_weight: PositiveFloat = 0.1
    """weight of pairs whose separation exceeds the budget: that it took longer does not say that it has to"""
    across: float = Field(0.2, ge=0, lt=1)
    """pairs of two episodes for each pair of one"""
    across_weight: NonNegativeFloat = 0.1
    """weight of their loss"""


@HEADS.register("reachable")
class ReachableHead(Head):
    """Answers with the logit of arriving within so many environment steps."""

    kind = "reachable"
    Config = ReachableConfig
    config: ReachableConfig

    def __init__(self, config: ReachableConfig, sizes: HeadSizes) -> None:
        super().__init__(config, sizes)
        self.network = Quasimetric(sizes.latent_size, config)
        self.log_steepness = nn.Parameter(torch.tensor(1.0))
        """log κ"""

    def loss(self, data: LatentEpisodes, model: WorldModel, generator: torch.Generator) -> Tensor:
        """Returns the cross-entropy of pairs of one episode, and a share of that of pairs of two."""
        config = self.config
        lead = config.draw_lead(data, self.sizes.frameskip, generator)
        pairs = data.pairs(config.batch_size, config.longest, generator, shortest=0, lead=lead)
        first_BD = seen_or_imagined(data, model, pairs.first_B, lead, config.imagined)
        budget_B = self._draw_budgets(pairs.separation_B, generator)
        within_B = (pairs.separation_B <= budget_B).to(first_BD.dtype)
        logit_B = self._logit(first_BD, data.z_ND[pairs.second_B], budget_B)
        weight_B = torch.where(within_B > 0, 1.0, config.longer_weight)
        loss = binary_cross_entropy_with_logits(logit_B, within_B, weight_B)
        first_B, second_B = data.rows_of_two(round(config.batch_size * config.across), generator)
        if len(first_B) and config.across_weight:
            logit_B = self._logit(data.z_ND[first_B], data.z_ND[second_B], self._draw_budgets(first_B, generator))
            loss = loss + config.across_weight * binary_cross_entropy_with_logits(logit_B, torch.zeros_like(logit_B))
        return loss

    def forward(self, z_XD: Tensor, goal_XD: Tensor, budget_X: Tensor) -> Tensor:
        """Returns logits (...) of latents (..., D) and goals', whose shape fits theirs by broadcasting.

        Args:
            z_XD: where something stands.
            goal_XD: where it should get.
            budget_X: environment steps in which it may get there, of a shape that fits (...) likewise; one at least,
                and more than it has learned count as those.
        """
        return self._logit(z_XD, goal_XD, budget_X.clamp(1, self.config.longest))

    def _draw_budgets(self, like_B: Tensor, generator: torch.Generator) -> Tensor:
        return torch.randint(1, self.config.longest + 1, like_B.shape, generator=generator).to(like_B.device)

    def _logit(self, z_XD: Tensor, goal_XD: Tensor, budget_X: Tensor) -> Tensor:
        # Half a step more on both sides, for there is no logarithm of nothing.
        steps_X = self.config.longest * self.network(self.scaled(z_XD), self.scaled(goal_XD)) + 0.5
        logit_X: Tensor = self.log_steepness.exp() * ((budget_X + 0.5).log() - steps_X.log())
        return logit_X
