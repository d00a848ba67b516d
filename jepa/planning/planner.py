"""What a planner sees, and what it answers; every planner a user may name is registered here.

Shapes: P problems, T context frames, H action blocks of a plan, K actions in an action block (the frameskip), L actions
of a plan, E candidates that are kept, A action dimensions, D latent.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa.core.config import Config, parse_options
from jepa.core.episodes import Actions, Pixels, State
from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry
from jepa.models.world_model import WorldModel
from jepa.planning.heads.head import Head
from jepa.planning.heads.registry import HEADS
from jepa.planning.search.space import CarriedOut
from jepa.worlds.registry import WORLDS
from jepa.worlds.world import WorldSpec


@dataclass(frozen=True)
class Problem:
    """A start and a goal from held-out episodes; states are (d,) by quantity, pixels (H, W, 3)."""

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
    demonstration_LA: Actions | None = None
    """The actions that were recorded between start and goal; None where none were."""
    goal_episode: int | None = None
    """The episode that the goal is taken from, and its row there; None where that is the start's."""
    goal_row: int | None = None


@dataclass(frozen=True)
class Plan:
    """Raw actions for the next L steps of P problems, and what the planner believes they lead to."""

    action_PLA: Actions
    seconds_P: NDArray[np.float64]
    latent_PHD: NDArray[np.float32] | None = None
    """Imagined latents after each action block, where the planner has a model."""
    state: State | None = None
    """Simulated states (P, L+1, d), where the planner has the true world."""
    elite_PELA: Actions | None = None
    """The best candidates, where the planner's next look starts from them too."""

    def part(self, group: slice) -> "Plan":
        """Returns the plan of some of the problems."""
        state = None if self.state is None else {name: value[group] for name, value in self.state.items()}
        latent, elite = (None if held is None else held[group] for held in (self.latent_PHD, self.elite_PELA))
        return Plan(self.action_PLA[group], self.seconds_P[group], latent, state, elite)

    def rest(self, steps: int) -> "Plan | None":
        """Returns the actions after the first `steps`, without what they lead to; None where there are none."""
        if steps >= self.action_PLA.shape[1]:
            return None
        elite = None if self.elite_PELA is None else self.elite_PELA[:, :, steps:]
        return Plan(self.action_PLA[:, steps:], self.seconds_P, elite_PELA=elite)

    @classmethod
    def joined(cls, parts: Sequence["Plan"]) -> "Plan":
        """Returns the plan of all problems from those of groups of them, which hold the same things."""
        return cls(
            np.concatenate([part.action_PLA for part in parts]),
            np.concatenate([part.seconds_P for part in parts]),
            _joined([part.latent_PHD for part in parts]),
            None
            if parts[0].state is None
            else {name: np.concatenate([(part.state or {})[name] for part in parts]) for name in parts[0].state},
            _joined([part.elite_PELA for part in parts]),
        )


def _joined(arrays: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    held = [array for array in arrays if array is not None]
    return np.concatenate(held) if held else None


@dataclass(frozen=True)
class Situation:
    """Where P problems stand when they are planned; latent planners look at pixels only, the oracle at states only."""

    pixels_PTHWC: Pixels
    """The newest frame last; earlier ones lie an action block apart."""
    past_action_PTKA: Actions
    """The T-1 action blocks between the context frames, raw."""
    state: State
    goal_pixels_PHWC: Pixels
    goal_state: State
    goal_kind: str
    """One of the world's `goal_kinds`, the same for all problems."""
    seeds: Sequence[int]
    steps_left: int | None = None
    """Environment steps in which the goal should be reached, at least those carried out before the next look; a plan
    for more arrives later with each look. None leaves the planner its own horizon."""
    previous_plan: Plan | None = None
    """What is left of the plan of the look before; None at the first look, and where all of it was carried out."""
    demonstration_PLA: Actions | None = None
    """What was recorded from this step on up to the goal, which only references look at; None where nothing was."""

    def part(self, group: slice) -> "Situation":
        """Returns the situation of some of the problems."""
        return replace(
            self,
            pixels_PTHWC=self.pixels_PTHWC[group],
            past_action_PTKA=self.past_action_PTKA[group],
            state={name: value[group] for name, value in self.state.items()},
            goal_pixels_PHWC=self.goal_pixels_PHWC[group],
            goal_state={name: value[group] for name, value in self.goal_state.items()},
            seeds=self.seeds[group],
            previous_plan=None if self.previous_plan is None else self.previous_plan.part(group),
            demonstration_PLA=None if self.demonstration_PLA is None else self.demonstration_PLA[group],
        )


@dataclass(frozen=True)
class PlanningSetting:
    """What a planner may be built from: the model under test, its heads, and the true world by name and options."""

    model: WorldModel
    world: str
    world_options: Mapping[str, Any]
    heads: Mapping[str, Head] = field(default_factory=dict)
    """fitted heads of the model by their kind"""

    def head(self, kind: str) -> Head:
        """Returns the fitted head of a kind.

        Raises:
            InputError: there is none, or its latents or actions have other sizes than the model's.
        """
        head = self.heads.get(kind)
        if head is None:
            raise InputError(f"head {kind!r} of the model is needed and not there; fit it with `jepa fit-heads`")
        config = self.model.config
        wanted = config.latent_size, config.frameskip, config.action_size
        found = head.sizes.latent_size, head.sizes.frameskip, head.sizes.action_size
        if wanted != found:
            raise InputError(
                f"head {kind!r} is made for latent_size, frameskip and action_size {found} and the model has {wanted}; "
                "fit one on this model"
            )
        return head

    def spec(self) -> WorldSpec:
        """Returns the facts of the world, among them the bounds of an action."""
        return WORLDS.get(self.world).world_spec

    def carried_out(self) -> CarriedOut | None:
        """Returns what makes of actions those that the world carries out; None where it takes every value as it is."""
        spec = self.spec()
        if not spec.choices:
            return None

        def carried_out(action: Tensor) -> Tensor:
            # One definition of what is picked, the world's, serves imagination and truth; noise comes from the CPU too.
            done_NA = spec.carried_out(action.flatten(0, -2).cpu().numpy())
            return torch.from_numpy(done_NA).to(action.device).view_as(action)

        return carried_out


class Planner(ABC):
    """Chooses actions for a batch of problems; a problem's plan depends on its own situation and seed alone."""

    Config: ClassVar[type[Config]]
    privileged: ClassVar[bool] = False
    """Whether it looks at true states, or at what was recorded after the start; see `is_privileged`."""
    history: int = 1
    """How many context frames the planner makes use of."""

    @abstractmethod
    def __init__(self, config: Any, setting: PlanningSetting) -> None:
        """Builds the planner; `config` is of the class's `Config`."""

    @classmethod
    def needs_heads(cls, config: Any) -> tuple[str, ...]:
        """Returns the kinds of heads that a planner of this configuration asks its setting for."""
        return ()

    @classmethod
    def is_privileged(cls, config: Any) -> bool:
        """Returns whether a planner of this configuration knows more than frames and actions say.

        That is so where it looks at true states, or asks for a head that was fitted on recorded ones. Rows of results
        say so: what such a planner reaches is no merit of the model alone.
        """
        return cls.privileged or any(HEADS.get(kind).privileged for kind in cls.needs_heads(config))

    @property
    @abstractmethod
    def plan_steps(self) -> int:
        """Returns L, the most environment steps that an action plan holds actions for."""

    @abstractmethod
    def plan(self, situation: Situation) -> Plan:
        """Returns a plan for every problem of the situation, of `steps_left` steps at least where they are given."""

    def close(self) -> None:  # noqa: B027 - most planners hold nothing open
        """Closes what the planner has opened, such as worlds; it is not used afterwards."""


PLANNERS: Registry[type[Planner]] = Registry(
    "planner",
    {
        "cem": "jepa.planning.planners.cem",
        "demonstration": "jepa.planning.planners.demonstration",
        "gradient": "jepa.planning.planners.gradient",
        "icem": "jepa.planning.planners.icem",
        "inverse": "jepa.planning.planners.inverse",
        "mppi": "jepa.planning.planners.mppi",
        "oracle": "jepa.planning.planners.oracle",
        "random": "jepa.planning.planners.random",
        "shooting": "jepa.planning.planners.shooting",
    },
    group="jepa.planners",
)


def planner_config(name: str, options: Mapping[str, Any], field: str = "planner_options") -> Config:
    """Returns the validated configuration of a registered planner.

    Raises:
        InputError: the name is unknown, or an option does not fit; the message names it as one of `field`.
    """
    return parse_options(PLANNERS.get(name).Config, options, field)


def complete_planner(name: str, options: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Returns a planner by its name with all of its options, as the settings of an evaluation hold it.

    Defaults are written out: they are part of what a protocol's digest stands for.

    Raises:
        InputError: as for `planner_config`; the message names the label.
    """
    return {"planner": name, **planner_config(name, options, field=label).model_dump(mode="json")}


def make_planner(name: str, config: Config | Mapping[str, Any], setting: PlanningSetting) -> Planner:
    """Returns the registered planner, built from its own configuration or from options of it.

    Raises:
        InputError: no planner has that name, or it does not take the options.
    """
    options = config.model_dump() if isinstance(config, Config) else config
    return PLANNERS.get(name)(planner_config(name, options), setting)
