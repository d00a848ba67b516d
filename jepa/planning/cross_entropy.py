"""The cross-entropy method over sequences of actions, for any cost and for many problems at once (Rubinstein 1999).

As in LeWorldModel (arXiv:2603.19312, App. D): a Gaussian for every action, refitted to the elites; the last mean is the
plan.
Shapes: P problems, S samples, E elites, H action blocks, K actions in an action block, A action dimensions.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor

from jepa.core.seeds import torch_generator
from jepa.planning.search.config import SearchConfig
from jepa.planning.search.space import ActionSpace, CarriedOut

Cost = Callable[[Tensor], Tensor]
"""Takes raw actions (P, S, H, K, A) and returns costs (P, S); smaller is better."""


class CEMConfig(SearchConfig):
    """How widely and how often the cross-entropy method samples."""

    renamed: ClassVar[Mapping[str, str]] = {"chunk": "candidates_at_once"}

    samples: PositiveInt = 300
    """candidates in each iteration"""
    elites: PositiveInt = 30
    """best candidates, to which the Gaussians are refitted"""
    iterations: PositiveInt = 10
    """how often the Gaussians are refitted"""
    init_std: PositiveFloat = 1.0
    """first standard deviation, in units of half the action range"""
    block_correlation: float = Field(0.0, ge=0, le=1)
    """share of the noise's variance that the actions of an action block have in common; 0 draws each by itself"""

    @model_validator(mode="after")
    def _enough_samples(self) -> "CEMConfig":
        if not 2 <= self.elites <= self.samples:
            raise ValueError(f"elites must lie between 2 and samples ({self.samples}), got {self.elites}")
        return self

    @property
    def candidates(self) -> int:
        """Returns the samples."""
        return self.samples


def minimise(
    cost: Cost,
    seeds: Sequence[int],
    action_block_shape: tuple[int, int],
    low: Tensor,
    high: Tensor,
    config: CEMConfig,
    carried_out: CarriedOut | None = None,
    first_mean_PHKA: Tensor | None = None,
) -> Tensor:
    """Returns the mean action sequence (P, H, K, A) after the last iteration, as it would be carried out.

    Args:
        cost: the cost of raw candidates (P, S, H, K, A); a NaN counts as worst.
        seeds: one a problem; its noise is drawn from its own generator, on the CPU, whatever the device.
        action_block_shape: (K, A).
        low: smallest raw action, scalar or (A,), on the device to work on.
        high: largest raw action, likewise; candidates are clipped to the two.
        config: the sizes.
        carried_out: what the world makes of actions, where it does not take every value as it is: candidates are judged
            by that, and the Gaussians are refitted to it. Of one-hot values the mean is then how often the elites pick
            each option, and the plan picks the most frequent one.
        first_mean_PHKA: where to start, in units of half the action range; the centre of the actions by default.
    """
    space = ActionSpace(low, high, carried_out)
    generators = [torch_generator(seed) for seed in seeds]
    shape = (config.horizon, *action_block_shape)
    mean_PHKA = torch.zeros(len(seeds), *shape, device=low.device) if first_mean_PHKA is None else first_mean_PHKA
    std_PHKA = torch.full_like(mean_PHKA, config.init_std)
    for _ in range(config.iterations):
        noise_PSHKA = torch.stack([draw_noise(shape, config, generator) for generator in generators]).to(low.device)
        unit_PSHKA = space.candidates(mean_PHKA[:, None] + std_PHKA[:, None] * noise_PSHKA)
        # The mean competes too: an iteration that finds nothing better does not lose what the last one found.
        unit_PSHKA[:, 0] = space.done(mean_PHKA)
        cost_PS = cost(space.raw(unit_PSHKA)).nan_to_num(nan=torch.inf)
        elites_PEHKA = best_candidates(unit_PSHKA, cost_PS, config.elites)
        mean_PHKA, std_PHKA = elites_PEHKA.mean(1), elites_PEHKA.std(1)
    return space.raw(space.done(mean_PHKA))


def best_candidates(unit_PSHKA: Tensor, cost_PS: Tensor, count: int) -> Tensor:
    """Returns the `count` candidates (P, E, H, K, A) of the smallest costs, the best first."""
    elite_PE = cost_PS.topk(count, dim=1, largest=False).indices
    return unit_PSHKA.gather(1, elite_PE[..., None, None, None].expand(-1, -1, *unit_PSHKA.shape[2:]))


def draw_noise(shape: tuple[int, ...], config: CEMConfig, generator: torch.Generator) -> Tensor:
    """Returns standard normal noise (S, H, K, A), correlated within an action block by `block_correlation`."""
    noise_SHKA = torch.randn(config.samples, *shape, generator=generator)
    shared = config.block_correlation
    if not shared:
        return noise_SHKA
    horizon, _, actions = shape
    common_SHA = torch.randn(config.samples, horizon, 1, actions, generator=generator)
    own: float = (1 - shared) ** 0.5
    common: float = shared**0.5
    return own * noise_SHKA + common * common_SHA
