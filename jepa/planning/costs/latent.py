"""The cost of LeWorldModel (arXiv:2603.19312, App. D): ‖ẑ_H − z_g‖², the squared distance to the goal's latent.

Shapes: P problems, C candidates, H action blocks, D latent.
"""

from pydantic import NonNegativeFloat
from torch import Tensor

from jepa.core.config import Config
from jepa.planning.costs.cost import COSTS, PlanCost
from jepa.planning.planner import PlanningSetting


class LatentCostConfig(Config):
    """Which of the imagined latents count."""

    path_weight: NonNegativeFloat = 0.0
    """weight of the mean over all steps beside the last step's cost; 0 asks for the last step only, more rewards
    arriving early"""


@COSTS.register("latent")
class LatentCost(PlanCost):
    """‖ẑ_H − z_g‖² + w · mean over h of ‖ẑ_h − z_g‖²."""

    Config = LatentCostConfig

    def __init__(self, config: LatentCostConfig, setting: PlanningSetting) -> None:
        self.config = config

    def __call__(self, z_PCHD: Tensor, goal_PD: Tensor, steps_left: int | None) -> Tensor:
        """Returns squared distances (P, C); the steps left play no part."""
        weight = self.config.path_weight
        last_PC = (z_PCHD[:, :, -1] - goal_PD[:, None]).square().sum(-1)
        if not weight:
            return last_PC
        return last_PC + weight * (z_PCHD - goal_PD[:, None, None]).square().sum(-1).mean(-1)
