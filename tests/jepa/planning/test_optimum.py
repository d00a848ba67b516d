"""Every search reaches the analytic optimum of a linear-quadratic world; `shooting`, with its uniform draws, nearly."""

from typing import Any

import pytest
import torch

from jepa.planning import make_planner
from tests.jepa.planning.linear_quadratic import LinearModel, cost_of, setting, situation
from tests.jepa.planning.searches import SEARCHES

HORIZON, WEIGHT = 2, 0.5
WITHIN: dict[str, tuple[float, dict[str, Any]]] = {
    "cem": (0.02, {"iterations": 20}),
    "icem": (0.02, {"iterations": 15, "samples": 300, "elites": 30}),
    "mppi": (0.01, {"iterations": 15}),
    "gradient": (1e-3, {"steps": 150}),
    "shooting": (0.25, {"samples": 30_000}),
}
"""Share of what doing nothing costs more than the optimum that may be lost, and the options with which."""


@pytest.mark.parametrize("name", SEARCHES)
def test_the_analytic_optimum_is_reached(name: str) -> None:
    model, seen = LinearModel(), situation(6)
    start, goal = torch.from_numpy(seen.pixels_PTHWC[:, -1]), torch.from_numpy(seen.goal_pixels_PHWC)
    optima = [model.least_cost(*pair, HORIZON, WEIGHT) for pair in zip(start, goal, strict=True)]
    # The bounds of the actions play no part, so that least squares is the whole answer.
    inside = [bool(actions.abs().max() < 0.95) for _, actions in optima]
    assert sum(inside) >= 4
    least = torch.tensor([cost for cost, _ in optima])
    within, options = WITHIN[name]
    cost = {"name": "latent", "path_weight": WEIGHT}
    common = {"horizon": HORIZON, "cost": cost, "precision": "fp32"}
    plan = make_planner(name, {**common, **options}, setting(model)).plan(seen)
    found = cost_of(model, seen, plan.action_PLA, WEIGHT)
    nothing = cost_of(model, seen, 0 * plan.action_PLA, WEIGHT)
    lost = ((found - least) / (nothing - least))[torch.tensor(inside)]
    assert lost.min() > -1e-4, "nothing is better than the optimum"
    assert lost.max() < within
