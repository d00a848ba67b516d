"""Planning by gradient: Adam on the actions themselves, through the imagined rollout, from several starts.

Shapes: P problems, S starts, C of them rolled out at once, H action blocks, K actions in an action block, A action
dimensions.
"""

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from jepa.core.seeds import torch_generator
from jepa.planning.planner import PLANNERS
from jepa.planning.search.latent import LatentSearch, LatentSearchConfig
from jepa.planning.search.noise import draw_coloured
from jepa.planning.search.task import Found, SearchTask


class GradientConfig(LatentSearchConfig):
    """Where the descent starts, and how far it goes."""

    starts: PositiveInt = 16
    """action sequences that are improved side by side; the first is what is left of the last plan, or the centre"""
    steps: PositiveInt = 40
    """steps of Adam"""
    learning_rate: PositiveFloat = 0.1
    """Adam's, in units of half the action range"""
    init_std: PositiveFloat = 0.5
    """standard deviation of the starts, in units of half the action range"""
    colour: NonNegativeFloat = 2.0
    """how slowly a start changes along a plan: its power falls as 1/f^colour; 0 is white noise"""

    @property
    def candidates(self) -> int:
        """Returns the starts."""
        return self.starts


@PLANNERS.register("gradient")
class LatentGradient(LatentSearch):
    """Follows the cost's gradient through the model; the plan is the best that was passed, from any start."""

    Config = GradientConfig
    differentiates = True

    def search(self, task: SearchTask) -> Found:
        """Returns the best action sequence that any start came by."""
        config: GradientConfig = self.config
        unit = self._starts(task)
        best, best_P = unit[:, 0].clone(), torch.full((len(unit),), torch.inf, device=unit.device)
        optimizer = torch.optim.Adam([unit], lr=config.learning_rate)
        for step in range(config.steps + 1):
            cost_PS, gradient = _descend(task, unit)
            least_P, index_P = cost_PS.nan_to_num(nan=torch.inf).min(1)
            found = unit[torch.arange(len(unit), device=unit.device), index_P]
            best = torch.where((least_P < best_P)[:, None, None, None], found, best)
            best_P = torch.minimum(least_P, best_P)
            if step < config.steps:
                # Where the model knows no slope, a start stays where it is.
                unit.grad = gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
                optimizer.step()
                unit.clamp_(-1, 1)
        return Found(task.space.raw(task.space.candidates(best)))

    def _starts(self, task: SearchTask) -> Tensor:
        """Returns where the descent begins (P, S, H, K, A)."""
        config: GradientConfig = self.config
        generators = [torch_generator(seed) for seed in task.seeds]
        unit = config.init_std * draw_coloured(config.starts, task.shape, config.colour, generators)
        unit[:, 0] = 0
        unit = unit.to(task.space.low.device)
        if task.first_PHKA is not None:
            unit[:, 0] = task.first_PHKA
        return unit.clamp_(-1, 1)


def _descend(task: SearchTask, unit_PSHKA: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the costs (P, S) and their gradients (P, S, H, K, A); no graph outlives the candidates of one rollout."""
    costs, gradients = [], []
    for part in unit_PSHKA.split(max(1, task.at_once // len(unit_PSHKA)), dim=1):
        with torch.enable_grad():
            unit = part.detach().requires_grad_()
            # Of options the one that is picked is imagined, and the slope is that of the value it was picked by.
            done = unit + (task.space.candidates(unit.detach()) - unit.detach())
            cost_PC = task.cost(task.space.raw(done))
            (gradient,) = torch.autograd.grad(cost_PC.sum(), unit)
        costs.append(cost_PC.detach())
        gradients.append(gradient)
    return torch.cat(costs, dim=1), torch.cat(gradients, dim=1)
