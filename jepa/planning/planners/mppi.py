"""Model predictive path integral control (Williams et al. 2017, arXiv:1707.02342) over what a model imagines.

Shapes: P problems, S samples, H action blocks, K actions in an action block, A action dimensions.
"""

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from jepa.core.seeds import torch_generator
from jepa.planning.planner import PLANNERS
from jepa.planning.search.latent import LatentSearch, LatentSearchConfig
from jepa.planning.search.noise import draw_coloured
from jepa.planning.search.task import Found, SearchTask


class MPPIConfig(LatentSearchConfig):
    """How candidates are drawn, and how sharply the better ones are preferred."""

    samples: PositiveInt = 300
    """candidates in each iteration"""
    iterations: PositiveInt = 10
    """how often the mean is moved"""
    temperature: PositiveFloat = 0.1
    """λ, in units of how much more the mean candidate costs than the best one; small ones follow the best alone"""
    init_std: PositiveFloat = 1.0
    """first standard deviation of the noise, in units of half the action range"""
    std_decay: float = Field(0.7, gt=0, le=1)
    """what each iteration multiplies the standard deviation by; 1 keeps it, as the original does"""
    colour: NonNegativeFloat = 1.0
    """how slowly the noise changes along a plan: its power falls as 1/f^colour; 0 is white noise"""

    @property
    def candidates(self) -> int:
        """Returns the samples."""
        return self.samples


@PLANNERS.register("mppi")
class LatentMPPI(LatentSearch):
    """Moves a mean to the average of candidates around it, each weighted by exp(−cost/λ)."""

    Config = MPPIConfig

    def search(self, task: SearchTask) -> Found:
        """Returns the means after the last iteration."""
        config: MPPIConfig = self.config
        generators = [torch_generator(seed) for seed in task.seeds]
        mean = torch.zeros(len(task.seeds), *task.shape, device=task.space.low.device)
        mean = mean if task.first_PHKA is None else task.first_PHKA
        for iteration in range(config.iterations):
            std = config.init_std * config.std_decay**iteration
            noise = draw_coloured(config.samples, task.shape, config.colour, generators).to(mean.device)
            unit = task.space.candidates(mean[:, None] + std * noise)
            unit[:, 0] = task.space.candidates(mean)
            weight_PS = weights(task.cost(task.space.raw(unit)), config.temperature)
            mean = (weight_PS[..., None, None, None] * unit).sum(1)
        return Found(task.space.raw(task.space.candidates(mean)))


def weights(cost_PS: Tensor, temperature: float) -> Tensor:
    """Returns what each candidate counts (P, S), summing to 1: exp(−(cost − least)/λ); a cost that is NaN counts 0.

    λ is `temperature` times the mean of what candidates cost more than the best. Where no cost is finite, all count
    alike.
    """
    excess_PS = (cost_PS - cost_PS.nan_to_num(nan=torch.inf).amin(1, keepdim=True)).float()
    known_PS = excess_PS.isfinite()
    excess_PS = excess_PS.where(known_PS, 0)
    mean_P1 = excess_PS.sum(1, keepdim=True) / known_PS.sum(1, keepdim=True).clamp_min(1)
    weight_PS = (-excess_PS / (temperature * mean_P1).clamp_min(1e-30)).exp() * (known_PS | ~known_PS.any(1)[:, None])
    return weight_PS / weight_PS.sum(1, keepdim=True)
