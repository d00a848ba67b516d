"""The improved cross-entropy method (Pinneri et al. 2020, arXiv:2008.06389): less work for the same plan.

Shapes: P problems, S samples, E elites, H action blocks, K actions in an action block, A action dimensions.
"""

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from torch import Tensor

from jepa.core.seeds import torch_generator
from jepa.planning.cross_entropy import best_candidates
from jepa.planning.planner import PLANNERS
from jepa.planning.search.latent import LatentSearch, LatentSearchConfig
from jepa.planning.search.noise import draw_coloured
from jepa.planning.search.task import Found, SearchTask


class ICEMConfig(LatentSearchConfig):
    """How widely and how often the improved method samples, and what it keeps."""

    samples: PositiveInt = 120
    """candidates that the first iteration draws"""
    elites: PositiveInt = 12
    """best candidates, to which the Gaussians are refitted"""
    iterations: PositiveInt = 6
    """how often the Gaussians are refitted"""
    decay: float = Field(1.25, ge=1)
    """by how much the candidates grow fewer with each iteration, to twice the elites at least"""
    init_std: PositiveFloat = 1.5
    """first standard deviation, in units of half the action range; over 1 many actions lie at the bounds"""
    colour: NonNegativeFloat = 2.0
    """how slowly the noise changes along a plan: its power falls as 1/f^colour; 0 is white noise"""
    momentum: float = Field(0.1, ge=0, lt=1)
    """share of the last mean and standard deviation that a refitting keeps"""
    kept: float = Field(0.3, ge=0, le=1)
    """share of the elites that compete again in the next iteration and, shifted, at the next look; one at least"""

    @model_validator(mode="after")
    def _enough_samples(self) -> "ICEMConfig":
        if not 2 <= self.elites <= self.samples // 2:
            raise ValueError(f"elites must lie between 2 and half of samples ({self.samples}), got {self.elites}")
        return self

    @property
    def candidates(self) -> int:
        """Returns the samples."""
        return self.samples

    def samples_of(self, iteration: int) -> int:
        """Returns how many candidates an iteration draws."""
        return max(2 * self.elites, int(self.samples * self.decay**-iteration))


@PLANNERS.register("icem")
class LatentICEM(LatentSearch):
    """Noise that changes slowly, elites that live on, fewer candidates each time; the plan is the best one judged."""

    Config = ICEMConfig

    def search(self, task: SearchTask) -> Found:
        """Returns the best candidates of all iterations, and the elites that the next look starts from."""
        config: ICEMConfig = self.config
        generators = [torch_generator(seed) for seed in task.seeds]
        centre = torch.zeros(len(task.seeds), *task.shape, device=task.space.low.device)
        mean = centre if task.first_PHKA is None else task.first_PHKA
        std = torch.full_like(mean, config.init_std)
        # What lived through the last look is judged again, for the present is another; later iterations know its cost.
        pool = task.space.candidates(mean)[:, None]
        if task.kept_PEHKA is not None:
            pool = torch.cat([pool, task.kept_PEHKA], dim=1)
        cost = _cost(task, pool)
        for iteration in range(config.iterations):
            noise = draw_coloured(config.samples_of(iteration), task.shape, config.colour, generators).to(mean.device)
            drawn = task.space.candidates(mean[:, None] + std[:, None] * noise)
            if iteration == config.iterations - 1:
                drawn[:, 0] = task.space.candidates(mean)
            pool, cost = torch.cat([pool, drawn], dim=1), torch.cat([cost, _cost(task, drawn)], dim=1)
            elites = best_candidates(pool, cost, config.elites)
            mean = config.momentum * mean + (1 - config.momentum) * elites.mean(1)
            std = config.momentum * std + (1 - config.momentum) * elites.std(1)
            count = max(1, int(config.kept * config.elites))
            pool, cost = elites[:, :count], cost.topk(count, dim=1, largest=False).values
        return Found(task.space.raw(pool[:, 0]), task.space.raw(pool))


def _cost(task: SearchTask, unit_PSHKA: Tensor) -> Tensor:
    return task.cost(task.space.raw(unit_PSHKA)).nan_to_num(nan=torch.inf)
