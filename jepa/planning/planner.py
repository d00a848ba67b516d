"""What a planner sees, and what it answers; every planner a user may name is registered here.

Shapes: P problems, T context frames, H blocks of the horizon, K actions in a block, A action dimensions, D latent.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from jepa.core.config import Config
from jepa.core.episodes import Actions, Pixels, State
from jepa.core.registry import Registry
from jepa.models.world_model import WorldModel
from jepa.worlds.world import WORLDS, WorldSpec


@dataclass(frozen=True)
class Problem:
    """A start and a goal from one held-out episode; states are (d,) by quantity, pixels (H, W, 3)."""

    number: int
    split: str
    goal_kind: str
    episode: int
    start_row: int
    seed: int
    start: State
    goal: State
    start_pixels: Pixels
    goal_pixels: Pixels


@dataclass(frozen=True)
class Situation:
    """Where P problems stand when they are planned; latent planners look at pixels only, the oracle at states only."""

    pixels_PTHWC: Pixels
    """The newest frame last; earlier ones lie a block of actions apart."""
    past_action_PTKA: Actions
    """The T-1 blocks between the context frames, raw."""
    state: State
    goal_pixels_PHWC: Pixels
    goal_state: State
    seeds: Sequence[int]


@dataclass(frozen=True)
class Plan:
    """Raw actions for the next H·K steps of P problems, and what the planner believes they lead to."""

    action_PLA: Actions
    seconds_P: NDArray[np.float64]
    latent_PHD: NDArray[np.float32] | None = None
    """Imagined latents after each block, where the planner has a model."""
    state: State | None = None
    """Simulated states (P, L+1, d), where the planner has the true world."""


@dataclass(frozen=True)
class PlanningSetting:
    """What a planner may be built from: the model under test, and the true world by name and options."""

    model: WorldModel
    world: str
    world_options: Mapping[str, Any]

    def spec(self) -> WorldSpec:
        """Returns the facts of the world, among them the bounds of an action."""
        return WORLDS.get(self.world).world_spec


class Planner(ABC):
    """Chooses actions for a batch of problems; a problem's plan depends on its own situation and seed alone."""

    config_type: ClassVar[type[Config]]
    history: int = 1
    """How many context frames the planner makes use of."""

    @abstractmethod
    def __init__(self, config: Any, setting: PlanningSetting) -> None:
        """Builds the planner; `config` is of `config_type`."""

    @abstractmethod
    def plan(self, situation: Situation) -> Plan:
        """Returns a plan for every problem of the situation."""


PLANNERS: Registry[type[Planner]] = Registry(
    "planner",
    {
        "cem": "jepa.planning.planners.cem",
        "oracle": "jepa.planning.planners.oracle",
        "random": "jepa.planning.planners.random",
    },
    group="jepa.planners",
)


def make_planner(name: str, config: Config, setting: PlanningSetting) -> Planner:
    """Returns the registered planner, built from its own configuration.

    Raises:
        InputError: no planner has that name.
    """
    return PLANNERS.get(name)(config, setting)
