"""The cost `decoded`: how far the quantities that the goal is about are from it, as the head `probe` reads them.

It asks what a search would reach if latents were as far apart as states are; privileged, for no camera records states.
Shapes: P problems, C candidates, H action blocks, D latent, X values of the compared quantities.
"""

from typing import cast

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.planning.costs.cost import COSTS, PlanCost
from jepa.planning.heads.probe import ProbeHead
from jepa.planning.planner import PlanningSetting


class DecodedCostConfig(Config):
    """Which quantities are compared, and which of the imagined latents count."""

    quantities: tuple[str, ...] = ()
    """recorded quantities that are compared; by default those that the world's kinds of goals score"""
    own_units: bool = False
    """whether differences are in the world's units, those of angles in sines and cosines; by default they are in units
    of each quantity's spread over train frames, so that unlike quantities add up"""
    path_weight: NonNegativeFloat = 0.0
    """weight of the mean over all steps beside the last step's cost; more rewards arriving early"""


@COSTS.register("decoded")
class DecodedCost(PlanCost):
    """‖q(ẑ_H) − q(z_g)‖² + w · mean over h of ‖q(ẑ_h) − q(z_g)‖², q being the quantities read off a latent."""

    Config = DecodedCostConfig
    privileged = True
    heads = ("probe",)

    def __init__(self, config: DecodedCostConfig, setting: PlanningSetting) -> None:
        """Takes the head.

        Raises:
            InputError: a quantity is none of those that the head reads.
        """
        self.config = config
        device = next(setting.model.parameters()).device
        self.head = cast(ProbeHead, setting.head("probe")).to(device)
        scored = (name for kind in setting.spec().goal_kinds for name in kind.quantities)
        names = config.quantities or tuple(dict.fromkeys(scored))
        if unknown := [name for name in names if name not in self.head.columns]:
            raise InputError(
                f"cost.quantities has {unknown[0]!r}, which head 'probe' does not read; choose of: "
                f"{', '.join(self.head.columns)}"
            )
        width = torch.arange(len(self.head.mean_X), device=device)
        self.column_X = torch.cat([width[self.head.columns[name]] for name in names])
        spread_X = self.head.spread_X[self.column_X]
        self.scale_X = torch.ones_like(spread_X) if config.own_units else spread_X

    def __call__(self, z_PCHD: Tensor, goal_PD: Tensor, steps_left: int | None) -> Tensor:
        """Returns squared distances (P, C); the steps left play no part."""
        weight = self.config.path_weight
        seen_PCHD = z_PCHD if weight else z_PCHD[:, :, -1:]
        off_PCHX = (self._read(seen_PCHD) - self._read(goal_PD)[:, None, None]) / self.scale_X
        cost_PCH = off_PCHX.square().sum(-1)
        return cost_PCH[:, :, -1] + weight * cost_PCH.mean(-1) if weight else cost_PCH[:, :, -1]

    def _read(self, z_XD: Tensor) -> Tensor:
        # Half precision would round a position among 512 pixels to two of them.
        with torch.autocast(z_XD.device.type, enabled=False):
            return self.head.forward(z_XD.float())[..., self.column_X]
