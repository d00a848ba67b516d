"""Costs by name: a planner takes one with its options, and what does not fit is said in a sentence."""

import pytest
import torch

from jepa.core.errors import InputError
from jepa.planning import COSTS, PlanCost, make_cost, make_planner
from jepa.planning.planner import planner_config
from tests.jepa.planning.setting import RIGHT_MODEL


def test_a_cost_is_named_alone_or_with_its_options() -> None:
    alone, empty, full = (
        planner_config("cem", {"cost": cost}).model_dump()["cost"]
        for cost in ("latent", {}, {"name": "latent", "path_weight": 0})
    )
    assert alone == empty == full == {"name": "latent", "path_weight": 0.0}
    assert planner_config("cem", {}).model_dump()["cost"] == full


def test_a_wrong_cost_is_named_with_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"planner_options\.cost: cost 'nearness' is not known; choose one of: .*latent"
    ):
        make_planner("cem", {"cost": "nearness"}, RIGHT_MODEL)
    with pytest.raises(InputError, match=r"cost\.path_weight: .*greater than or equal to 0, got -1"):
        make_planner("cem", {"cost": {"name": "latent", "path_weight": -1}}, RIGHT_MODEL)


def test_every_cost_that_asks_for_nothing_gives_a_figure_for_each_candidate() -> None:
    plain = [name for name in COSTS if not COSTS.get(name).heads and not COSTS.get(name).privileged]
    assert "latent" in plain
    for name in plain:
        cost = make_cost({"name": name}, RIGHT_MODEL)
        assert isinstance(cost, PlanCost)
        assert cost(torch.rand(2, 3, 4, 2), torch.rand(2, 2), 20).shape == (2, 3)
