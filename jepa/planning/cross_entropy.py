"""The cross-entropy method over sequences of actions, for any cost and for many problems at once (Rubinstein 1999).

As in LeWorldModel (arXiv:2603.19312, App. D): a Gaussian for every action, refitted to the elites; the last mean is the
plan.
Shapes: P problems, S samples, E elites, H action blocks, K actions in an action block, A action dimensions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Self

import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor

from jepa.core.config import Config
from jepa.core.seeds import torch_generator

Cost = Callable[[Tensor], Tensor]
"""Takes raw actions (P, S, H, K, A) and returns costs (P, S); smaller is better."""

CarriedOut = Callable[[Tensor], Tensor]
"""Takes raw actions (…, A) and returns what a world makes of them."""


class CEMConfig(Config):
    """How widely and how often the cross-entropy method samples."""

    renamed: ClassVar[Mapping[str, str]] = {"chunk": "candidates_at_once"}

    samples: PositiveInt = 300
    """candidates in each iteration"""
    elites: PositiveInt = 30
    """best candidates, to which the Gaussians are refitted"""
    iterations: PositiveInt = 10
    """how often the Gaussians are refitted"""
    horizon: PositiveInt = 5
    """planning horizon: length of a plan in action blocks"""
    init_std: PositiveFloat = 1.0
    """first standard deviation, in units of half the action range"""
    block_correlation: float = Field(0.0, ge=0, le=1)
    """share of the noise's variance that the actions of an action block have in common; 0 draws each by itself"""
    candidates_at_once: PositiveInt = 300
    """most candidates rolled out at once, which bounds the memory; with `samples` or fewer of them, the problems beside
    a problem change no bit of its plan"""

    @model_validator(mode="after")
    def _enough_samples(self) -> "CEMConfig":
        if not 2 <= self.elites <= self.samples:
            raise ValueError(f"elites must lie between 2 and samples ({self.samples}), got {self.elites}")
        return self

    @property
    def problems_at_once(self) -> int:
        """Returns how many problems share a call of the cost."""
        return max(1, self.candidates_at_once // self.samples)

    def within(self, steps_left: int | None, frameskip: int) -> Self:
        """Returns the same search for a plan of no more action blocks than the steps left need, but for one at least.

        Args:
            steps_left: environment steps in which the goal should be reached; None changes nothing.
            frameskip: environment steps of an action block.
        """
        if steps_left is None:
            return self
        blocks = max(1, -(-steps_left // frameskip))
        return self.model_copy(update={"horizon": min(self.horizon, blocks)})

    def groups(self, problems: int) -> Iterator[slice]:
        """Yields the problems, few enough at a time."""
        size = self.problems_at_once
        return (slice(start, min(start + size, problems)) for start in range(0, problems, size))


def minimise(
    cost: Cost,
    seeds: Sequence[int],
    action_block_shape: tuple[int, int],
    low: Tensor,
    high: Tensor,
    config: CEMConfig,
    carried_out: CarriedOut | None = None,
) -> Tensor:
    """Returns the mean action sequence (P, H, K, A) after the last iteration, as it would be carried out.

    Args:
        cost: the cost of raw candidates (P, S, H, K, A); a NaN counts as worst.
        seeds: one a problem; its noise is drawn from its own generator, on the CPU, whatever the device.
        action_block_shape: (K, A).
        low: smallest raw action, scalar or (A,), on the device to work on.
        high: largest raw action, likewise; candidates are clipped to the two.
        carried_out: what the world makes of actions, where it does not take every value as it is: candidates are judged
            by that, and the Gaussians are refitted to it. Of one-hot values the mean is then how often the elites pick
            each option, and the plan picks the most frequent one.
    """
    centre, half_range = (high + low) / 2, (high - low) / 2
    generators = [torch_generator(seed) for seed in seeds]
    shape = (config.horizon, *action_block_shape)
    mean_PHKA = torch.zeros(len(seeds), *shape, device=low.device)
    std_PHKA = torch.full_like(mean_PHKA, config.init_std)

    def done(unit: Tensor) -> Tensor:
        return unit if carried_out is None else (carried_out(unit * half_range + centre) - centre) / half_range

    for _ in range(config.iterations):
        noise_PSHKA = torch.stack([draw_noise(shape, config, generator) for generator in generators]).to(low.device)
        # Options are picked before values are clipped: at the bound several would be equal, and the first would win.
        unit_PSHKA = done(mean_PHKA[:, None] + std_PHKA[:, None] * noise_PSHKA).clamp_(-1, 1)
        # The mean competes too: an iteration that finds nothing better does not lose what the last one found.
        unit_PSHKA[:, 0] = done(mean_PHKA)
        cost_PS = cost(unit_PSHKA * half_range + centre).nan_to_num(nan=torch.inf)
        elite_PE = cost_PS.topk(config.elites, dim=1, largest=False).indices
        index = elite_PE[..., None, None, None].expand(-1, -1, *shape)
        elites_PEHKA = unit_PSHKA.gather(1, index)
        mean_PHKA, std_PHKA = elites_PEHKA.mean(1), elites_PEHKA.std(1)
    return done(mean_PHKA) * half_range + centre


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
