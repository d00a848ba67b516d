"""The cost `temporal`: what its head says of the last imagined latent, and of the way there."""

from typing import Any

import pytest
import torch

from jepa.core.errors import InputError
from jepa.planning import PlanningSetting
from jepa.planning.costs.cost import make_cost
from jepa.planning.heads.head import HeadSizes
from jepa.planning.heads.temporal import TemporalConfig, TemporalHead
from jepa.planning.planners.cem import LatentCEM, LatentCEMConfig
from tests.jepa.evaluation.standins import CentroidModel

MODEL: Any = CentroidModel()
HEAD = TemporalHead(TemporalConfig(width=8, depth=1), HeadSizes(latent_size=2, frameskip=5, action_size=2))
SETTING = PlanningSetting(MODEL, "two_room", {}, {"temporal": HEAD})


@torch.inference_mode()
def test_it_is_the_head_s_answer() -> None:
    z_PCHD, goal_PD = torch.rand(3, 4, 5, 2), torch.rand(3, 2)
    last = torch.stack([HEAD(z_PCHD[:, c, -1], goal_PD) for c in range(4)], dim=1)
    torch.testing.assert_close(make_cost({"name": "temporal"}, SETTING)(z_PCHD, goal_PD, None), last)
    way = torch.stack([HEAD(z_PCHD[:, :, h], goal_PD[:, None].expand(3, 4, 2)) for h in range(5)]).mean(0)
    weighted = make_cost({"name": "temporal", "path_weight": 0.5}, SETTING)(z_PCHD, goal_PD, 10)
    torch.testing.assert_close(weighted, last + 0.5 * way)


def test_a_search_asks_for_the_heads_of_its_cost_and_of_its_start() -> None:
    assert LatentCEM.needs_heads(LatentCEMConfig()) == ()
    config = LatentCEMConfig.model_validate({"cost": "temporal", "warm_start": "inverse"})
    assert LatentCEM.needs_heads(config) == ("temporal", "inverse")
    with pytest.raises(InputError, match="head 'temporal' of the model is needed and not there"):
        make_cost({"name": "temporal"}, PlanningSetting(MODEL, "two_room", {}))
