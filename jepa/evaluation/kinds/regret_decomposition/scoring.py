"""What the candidates of a menu cost: in the true world, in the model's imagination, and by the frames that result.

Shapes: C candidates, L = H·K actions of a candidate, H action blocks, K actions of an action block, A dimensions of an
action, D latent.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa.core.episodes import Actions
from jepa.evaluation.statistics import rank_correlation
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel
from jepa.planning.costs.cost import PlanCost
from jepa.planning.planner import Problem
from jepa.worlds.world import World

Floats = NDArray[np.float64]
PARTS = ("cost", "model", "search")


@dataclass(frozen=True)
class Outcome:
    """Where a problem's candidates lead: true distance (C,), and on the model's device latents, real and imagined."""

    distance_C: Floats
    real_CHD: Tensor
    imagined_CHD: Tensor
    goal_D: Tensor


@torch.inference_mode()
def carry_out(model: WorldModel, world: World, problem: Problem, action_CLA: Actions, frameskip: int) -> Outcome:
    """Returns what comes of the candidates, executed in C copies of the true world and imagined by the model."""
    copies, steps, size = action_CLA.shape
    world.restore({name: np.repeat(value[None], copies, axis=0) for name, value in problem.start.items()})
    latents = []
    for step in range(steps):
        world.advance(np.ascontiguousarray(action_CLA[:, step]))
        if (step + 1) % frameskip == 0:
            latents.append(encode_pixels(model, world.render_pixels()))
    goal = {name: np.repeat(value[None], copies, axis=0) for name, value in problem.goal.items()}
    distance_C = world.distance(goal, problem.goal_kind).astype(np.float64)
    device = next(model.parameters()).device
    start_D, goal_D = torch.from_numpy(encode_pixels(model, np.stack([problem.start_pixels, problem.goal_pixels]))).to(
        device
    )
    action_CHKA = torch.from_numpy(action_CLA.reshape(copies, -1, frameskip, size)).to(device)
    imagined_CHD = model.rollout(start_D.expand(copies, 1, -1), action_CHKA)
    real_CHD = torch.from_numpy(np.stack(latents, axis=1)).to(device)
    return Outcome(distance_C, real_CHD, imagined_CHD.float(), goal_D)


@dataclass(frozen=True)
class Scores:
    """Costs (C,) of a menu's candidates: true, by the frames that really result, and as the model imagines them."""

    cost: str
    """Name of the cost of latents."""
    true_C: Floats
    real_C: Floats
    imagined_C: Floats

    def figures(self, plan: int, ranked_C: NDArray[np.bool_]) -> dict[str, float]:
        """Returns the figures of one problem by the names of its columns.

        The three parts of the regret sum to it: the best by the latents of real frames less the menu's best is the
        cost's, the best in imagination less the former the model's, the plan less the latter the search's.

        Args:
            plan: the planner's own candidate.
            ranked_C: candidates that count.
        """
        true_C, real_C, imagined_C = (costs[ranked_C] for costs in (self.true_C, self.real_C, self.imagined_C))
        best = float(true_C.min())
        by_real, by_imagined = (_true_cost_of_best(costs, true_C) for costs in (real_C, imagined_C))
        chosen = float(self.true_C[plan])
        return {
            "rank_correlation_cost": rank_correlation(real_C, true_C),
            "rank_correlation_model": rank_correlation(imagined_C, real_C),
            "rank_correlation_both": rank_correlation(imagined_C, true_C),
            "regret": chosen - best,
            "regret_cost": by_real - best,
            "regret_model": by_imagined - by_real,
            "regret_search": chosen - by_imagined,
            "menu_best": best,
            "real_best": by_real,
            "imagined_best": by_imagined,
            "plan": chosen,
        }


def _true_cost_of_best(costs_C: Floats, true_C: Floats) -> float:
    """Returns the true cost of the candidate that costs least; of several that cost the same, their mean."""
    return float(true_C[costs_C == costs_C.min()].mean())


@torch.inference_mode()
def score(outcome: Outcome, name: str, cost: PlanCost, steps_left: int) -> Scores:
    """Returns a menu's costs by a registered cost; one that is NaN counts as worst, as it does in a search."""
    real, imagined = (
        cost(z_CHD[None], outcome.goal_D[None], steps_left)[0].double().cpu().nan_to_num(nan=torch.inf).numpy()
        for z_CHD in (outcome.real_CHD, outcome.imagined_CHD)
    )
    return Scores(name, outcome.distance_C, real, imagined)
