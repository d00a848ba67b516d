"""A search by each cost reaches the goal where latents are states, the model is the truth and nothing is in the way."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from jepa.core.errors import InputError
from jepa.planning import COSTS, PlanningSetting, make_planner
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.head import Head
from jepa.planning.heads.registry import head_config
from tests.jepa.planning.heads.open_square import SquareModel, situation, walks

MODEL: Any = SquareModel()
OPTIONS = {"width": 32, "depth": 2, "steps": 400, "batch_size": 128, "learning_rate": 3e-3}
WITHIN = 0.08
"""Two-Room's own test of success, some three steps' way."""


@pytest.fixture(scope="module")
def heads() -> Mapping[str, Head]:
    kinds = {head for name in COSTS for head in COSTS.get(name).heads}
    data = walks(300)
    return {kind: fit_head(kind, head_config(kind, OPTIONS), MODEL, data, {"agent_position": 2}, 0) for kind in kinds}


@pytest.mark.parametrize("cost", list(COSTS))
@pytest.mark.parametrize("steps_left", [None, 20])
def test_a_search_by_each_cost_reaches_the_goal(cost: str, steps_left: int | None, heads: Mapping[str, Head]) -> None:
    generator = torch.Generator().manual_seed(3)
    start = torch.rand(12, 2, generator=generator)
    # Within 15 steps' way along each axis.
    goal = (start + 0.9 * torch.rand(12, 2, generator=generator) - 0.45).clamp(0.02, 0.98)
    setting = PlanningSetting(MODEL, "two_room", {}, heads)
    options = {"cost": cost, "horizon": 4, "precision": "fp32"}
    plan = make_planner("icem", options, setting).plan(situation(start, goal, steps_left=steps_left))
    end = MODEL.rollout(start[:, None], torch.from_numpy(plan.action_PLA).unflatten(1, (-1, 5)))[:, -1]
    distance = (end - goal).norm(dim=1)
    assert (start - goal).norm(dim=1).median() > 3 * WITHIN
    assert (distance < WITHIN).float().mean() > 0.9, distance


@pytest.mark.parametrize("cost", [name for name in COSTS if COSTS.get(name).heads])
def test_heads_that_are_missing_or_of_another_model_are_named(cost: str, heads: Mapping[str, Head]) -> None:
    (kind,) = COSTS.get(cost).heads
    with pytest.raises(
        InputError, match=f"head '{kind}' of the model is needed and not there; fit it with `jepa fit-heads"
    ):
        make_planner("icem", {"cost": cost}, PlanningSetting(MODEL, "two_room", {}))
    other: Any = SquareModel()
    other.config = other.config.model_copy(update={"latent_size": 8})
    with pytest.raises(InputError, match=f"head '{kind}' is made for latent_size, .* and the model has .*; fit one on"):
        make_planner("icem", {"cost": cost}, PlanningSetting(other, "two_room", {}, heads))
