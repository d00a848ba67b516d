"""The cost `temporal`: the environment steps from the imagined latents to the goal's, by the head of that name.

Shapes: P problems, C candidates, H action blocks, D latent.
"""

from typing import cast

from pydantic import NonNegativeFloat
from torch import Tensor

from jepa.core.config import Config
from jepa.planning.costs.cost import COSTS, PlanCost
from jepa.planning.heads.temporal import TemporalHead
from jepa.planning.planner import PlanningSetting


class TemporalCostConfig(Config):
    """Which of the imagined latents count."""

    path_weight: NonNegativeFloat = 0.0
    """weight of the mean over all steps beside the last step's; more rewards arriving early"""


@COSTS.register("temporal")
class TemporalCost(PlanCost):
    """τ(ẑ_H, z_g) + w · mean over h of τ(ẑ_h, z_g), in environment steps."""

    Config = TemporalCostConfig
    heads = ("temporal",)

    def __init__(self, config: TemporalCostConfig, setting: PlanningSetting) -> None:
        self.config = config
        device = next(setting.model.parameters()).device
        self.head = cast(TemporalHead, setting.head("temporal")).to(device)

    def __call__(self, z_PCHD: Tensor, goal_PD: Tensor, steps_left: int | None) -> Tensor:
        """Returns environment steps (P, C) that are still to go; the steps left play no part."""
        weight = self.config.path_weight
        if not weight:
            last_PCD = z_PCHD[:, :, -1]
            return self.head.forward(last_PCD, goal_PD[:, None]).float()
        steps_PCH = self.head.forward(z_PCHD, goal_PD[:, None, None]).float()
        return steps_PCH[:, :, -1] + weight * steps_PCH.mean(-1)
