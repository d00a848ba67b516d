"""Head `inverse`: goal-conditioned inverse dynamics, from a latent, a goal's latent and the steps left to the actions.

As GC-IDM (arXiv:2605.08732), which acts on the frozen latents of LeWorldModel: a policy that needs no search. It is
fitted by mean squared error on what the recorded episodes did between two of their frames, so that it knows no better
than they did, and where they did several things it does their mean.
Shapes: B pairs, P problems, K actions in an action block, L actions, A action dimensions, D latent.
"""

import torch
from pydantic import PositiveInt
from torch import Tensor

from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.head import Head, HeadConfig, HeadSizes, perceptron, spread
from jepa.planning.heads.registry import HEADS


class InverseConfig(HeadConfig):
    """The network, and between which frames it learns what was done."""

    longest: PositiveInt = 64
    """largest number of environment steps to the goal; separations are drawn evenly from 1 on"""
    blocks: PositiveInt = 1
    """action blocks that it answers with"""


@HEADS.register("inverse")
class InverseHead(Head):
    """Answers with the next actions that lead to a goal in so many steps."""

    kind = "inverse"
    Config = InverseConfig
    config: InverseConfig
    action_mean: Tensor
    action_std: Tensor

    def __init__(self, config: InverseConfig, sizes: HeadSizes) -> None:
        super().__init__(config, sizes)
        self.network = perceptron(2 * sizes.latent_size + 1, self.steps * sizes.action_size, config)
        self.register_buffer("action_mean", torch.zeros(sizes.action_size))
        self.register_buffer("action_std", torch.ones(sizes.action_size))

    @property
    def steps(self) -> int:
        """Returns L, the environment steps that an answer has actions for."""
        return self.config.blocks * self.sizes.frameskip

    def measure(self, data: LatentEpisodes) -> None:
        """Sets the scales of latents and actions."""
        super().measure(data)
        self.action_mean.copy_(data.action_NA.mean(0))
        self.action_std.copy_(spread(data.action_NA))

    def loss(self, data: LatentEpisodes, model: WorldModel, generator: torch.Generator) -> Tensor:
        """Returns the mean squared error of z-scored actions, over pairs of all separations alike."""
        pairs = data.pairs(self.config.batch_size, self.config.longest, generator, room=self.steps)
        done_BLA = (data.blocks(pairs.first_B, self.steps) - self.action_mean) / self.action_std
        answer_BLA = self._answer(data.z_ND[pairs.first_B], data.z_ND[pairs.second_B], pairs.separation_B)
        return (answer_BLA - done_BLA).square().mean()

    def forward(self, z_PD: Tensor, goal_PD: Tensor, steps_left: int) -> Tensor:
        """Returns raw actions (P, L, A), not clipped to what the world takes.

        Args:
            z_PD: latents of where the problems stand.
            goal_PD: latents of their goals.
            steps_left: environment steps in which the goals should be reached; more than it has learned count as those.
        """
        left_P = torch.full((len(z_PD),), max(1, steps_left), device=z_PD.device)
        answer_PLA: Tensor = self._answer(z_PD, goal_PD, left_P) * self.action_std + self.action_mean
        return answer_PLA

    def _answer(self, z_BD: Tensor, goal_BD: Tensor, left_B: Tensor) -> Tensor:
        left_B1 = (left_B.clamp_max(self.config.longest) / self.config.longest)[:, None]
        answer_BX: Tensor = self.network(torch.cat([self.scaled(z_BD), self.scaled(goal_BD), left_B1], dim=1))
        answer_BLA: Tensor = answer_BX.unflatten(1, (self.steps, self.sizes.action_size))
        return answer_BLA
