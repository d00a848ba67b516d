"""The cost `reachable`: how unlikely the goal is reached within the steps left, by the head of that name.

As RC-aux (arXiv:2605.07278) plans, with the distance of latents beside it by a weight.
Shapes: P problems, C candidates, H action blocks, D latent.
"""

from typing import cast

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor
from torch.nn.functional import softplus

from jepa.core.config import Config
from jepa.planning.costs.cost import COSTS, PlanCost
from jepa.planning.heads.reachable import ReachableHead
from jepa.planning.planner import PlanningSetting


class ReachableCostConfig(Config):
    """What counts beside the last imagined latent's prospects."""

    weight: float = Field(0.85, gt=0, le=1)
    """weight of −log p; the distance of latents has the rest"""
    path_weight: NonNegativeFloat = 0.0
    """weight of the mean over all steps beside the last step's −log p"""


@COSTS.register("reachable")
class ReachableCost(PlanCost):
    """w · −log p(ẑ_H reaches z_g in the steps left then) + (1 − w) · ‖ẑ_H − z_g‖² / D.

    The steps left after h action blocks of K steps are `steps_left` − h·K, and K at least: at the appointed time itself
    the goal may be an action block away. Where nothing is said about them the plan's end is the appointed time.
    """

    Config = ReachableCostConfig
    heads = ("reachable",)

    def __init__(self, config: ReachableCostConfig, setting: PlanningSetting) -> None:
        self.config = config
        self.frameskip = setting.model.config.frameskip
        device = next(setting.model.parameters()).device
        self.head = cast(ReachableHead, setting.head("reachable")).to(device)

    def __call__(self, z_PCHD: Tensor, goal_PD: Tensor, steps_left: int | None) -> Tensor:
        """Returns the costs (P, C), 0 where the goal is met for certain."""
        config, blocks = self.config, z_PCHD.shape[2]
        whole = blocks * self.frameskip if steps_left is None else steps_left
        done_H = self.frameskip * torch.arange(1, blocks + 1, device=z_PCHD.device)
        left_H = (whole - done_H).clamp_min(self.frameskip)
        last_PCD = z_PCHD[:, :, -1]
        distance_PC = (last_PCD - goal_PD[:, None]).float().square().mean(-1)
        if config.path_weight:
            missed_PCH = self._missed(z_PCHD, goal_PD, left_H)
            missed_PC = missed_PCH[..., -1] + config.path_weight * missed_PCH.mean(-1)
        else:
            missed_PC = self._missed(z_PCHD[:, :, -1:], goal_PD, left_H[-1:])[..., 0]
        return config.weight * missed_PC + (1 - config.weight) * distance_PC

    def _missed(self, z_PCHD: Tensor, goal_PD: Tensor, left_H: Tensor) -> Tensor:
        """Returns −log p (P, C, H), which grows on where p itself is next to nothing."""
        logit_PCH = self.head.forward(z_PCHD, goal_PD[:, None, None], left_H)
        return softplus(-logit_PCH.float())
