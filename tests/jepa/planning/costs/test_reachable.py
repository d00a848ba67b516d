"""The cost `reachable`: −log p of arriving in the steps that are left after each action block, and some distance."""

from typing import Any

import pytest
import torch
from torch import Tensor

from jepa.core.errors import InputError
from jepa.planning import PlanningSetting, make_cost
from jepa.planning.heads.head import HeadSizes
from jepa.planning.heads.reachable import ReachableConfig, ReachableHead
from tests.jepa.evaluation.standins import CentroidModel

MODEL: Any = CentroidModel()
SIZES = HeadSizes(latent_size=2, frameskip=5, action_size=2)
HEAD = ReachableHead(ReachableConfig(width=8, depth=1), SIZES)
SETTING = PlanningSetting(MODEL, "two_room", {}, {"reachable": HEAD})


class Asked(ReachableHead):
    """Notes the budgets that it is asked about, and says so."""

    def forward(self, z_XD: Tensor, goal_XD: Tensor, budget_X: Tensor) -> Tensor:
        self.budgets: list[int] = budget_X.tolist()
        return super().forward(z_XD, goal_XD, budget_X)


@torch.inference_mode()
def test_it_is_how_unlikely_the_goal_is_from_the_last_latent() -> None:
    z_PCHD, goal_PD = torch.rand(3, 4, 5, 2), torch.rand(3, 2)
    logit = HEAD(z_PCHD[:, :, -1], goal_PD[:, None].expand(3, 4, 2), torch.tensor(5))
    missed, distance = -logit.sigmoid().log(), (z_PCHD[:, :, -1] - goal_PD[:, None]).square().mean(-1)
    alone = make_cost({"name": "reachable", "weight": 1.0}, SETTING)(z_PCHD, goal_PD, None)
    torch.testing.assert_close(alone, missed)
    both = make_cost({"name": "reachable"}, SETTING)(z_PCHD, goal_PD, None)
    torch.testing.assert_close(both, 0.85 * missed + 0.15 * distance)


@pytest.mark.parametrize(
    ("steps_left", "budgets"),
    [(None, [15, 10, 5, 5]), (20, [15, 10, 5, 5]), (50, [45, 40, 35, 30]), (12, [7, 5, 5, 5]), (3, [5, 5, 5, 5])],
)
def test_budgets_are_what_is_left_after_each_block(steps_left: int | None, budgets: list[int]) -> None:
    head = Asked(ReachableConfig(width=8, depth=1), SIZES)
    setting = PlanningSetting(MODEL, "two_room", {}, {"reachable": head})
    z_PCHD, goal_PD = torch.rand(2, 3, 4, 2), torch.rand(2, 2)
    make_cost({"name": "reachable", "path_weight": 0.5}, setting)(z_PCHD, goal_PD, steps_left)
    assert head.budgets == budgets
    make_cost({"name": "reachable"}, setting)(z_PCHD, goal_PD, steps_left)
    assert head.budgets == budgets[-1:]


@torch.inference_mode()
def test_the_way_counts_by_its_weight() -> None:
    z_PCHD, goal_PD = torch.rand(2, 3, 4, 2), torch.rand(2, 2)
    last, half, whole = (
        make_cost({"name": "reachable", "weight": 1.0, "path_weight": weight}, SETTING)(z_PCHD, goal_PD, 20)
        for weight in (0.0, 0.5, 1.0)
    )
    assert ((half - last) > 0).all()
    torch.testing.assert_close(whole - last, 2 * (half - last))


def test_it_asks_for_its_head() -> None:
    with pytest.raises(InputError, match="head 'reachable' of the model is needed and not there"):
        make_cost({"name": "reachable"}, PlanningSetting(MODEL, "two_room", {}))
