"""Random shooting: of many uniform action sequences, the one whose imagined future costs least.

Shapes: P problems, S samples, H action blocks, K actions in an action block, A action dimensions.
"""

import torch
from pydantic import PositiveInt

from jepa.core.seeds import torch_generator
from jepa.planning.cross_entropy import best_candidates
from jepa.planning.planner import PLANNERS
from jepa.planning.search.latent import LatentSearch, LatentSearchConfig
from jepa.planning.search.task import Found, SearchTask


class ShootingConfig(LatentSearchConfig):
    """How many action sequences are tried."""

    samples: PositiveInt = 3000
    """action sequences for each problem, as many as `cem` judges in its iterations"""

    @property
    def candidates(self) -> int:
        """Returns the samples."""
        return self.samples


@PLANNERS.register("shooting")
class LatentShooting(LatentSearch):
    """Draws action sequences once and takes the best: what any search has to beat with the same number of them."""

    Config = ShootingConfig

    def search(self, task: SearchTask) -> Found:
        """Returns the best of what was drawn and of what is left of the last plan."""
        generators = [torch_generator(seed) for seed in task.seeds]
        drawn = [torch.rand(self.config.samples, *task.shape, generator=generator) for generator in generators]
        unit = task.space.candidates(2 * torch.stack(drawn).to(task.space.low.device) - 1)
        if task.first_PHKA is not None:
            unit[:, 0] = task.space.candidates(task.first_PHKA)
        cost_PS = task.cost(task.space.raw(unit)).nan_to_num(nan=torch.inf)
        return Found(task.space.raw(best_candidates(unit, cost_PS, 1)[:, 0]))
