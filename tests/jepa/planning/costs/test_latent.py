"""The cost `latent`: the squared distance of the last imagined latent, and the mean of those on the way."""

import pytest
import torch

from jepa.planning.costs.cost import make_cost
from tests.jepa.planning.setting import RIGHT_MODEL


@pytest.mark.parametrize(("weight", "costs"), [(0.0, [4.0, 25.0]), (0.5, [4.0 + 0.5 * 6.5, 25.0 + 0.5 * 15.0])])
def test_squared_distances_to_the_goal(weight: float, costs: list[float]) -> None:
    z_PCHD = torch.tensor([[[[4.0, 1.0], [1.0, 3.0]], [[2.0, 3.0], [1.0, 6.0]]]])
    cost = make_cost({"name": "latent", "path_weight": weight}, RIGHT_MODEL)
    assert cost(z_PCHD, torch.tensor([[1.0, 1.0]]), None).tolist() == [costs]
    assert cost(z_PCHD, torch.tensor([[1.0, 1.0]]), 5).tolist() == [costs]
