"""The ceiling of every comparison: the same cross-entropy method, with the true world in the place of the model.

Shapes: P problems, S samples, C candidates simulated at once, H action blocks, K actions in an action block, L = H·K
steps, A action and d state dimensions.
"""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from jepa.core.episodes import State
from jepa.planning.cross_entropy import CEMConfig, Cost, best_candidates, minimise
from jepa.planning.planner import PLANNERS, Plan, Planner, PlanningSetting, Situation
from jepa.planning.planners.demonstration import recorded_actions, up_to
from jepa.planning.search.space import ActionSpace
from jepa.worlds.world import World, make_world


class OracleConfig(CEMConfig):
    """The cross-entropy method's sizes and the oracle's cost.

    The noise is the same within most of an action block, for white noise walks in place. In Two-Room 10 iterations met
    100 of 100 goals of either kind, with white noise 98 and 97; 30 iterations end .0003 from the goal.
    """

    renamed: ClassVar[Mapping[str, str]] = {**CEMConfig.renamed, "block_actions": "frameskip"}

    iterations: PositiveInt = 30
    candidates_at_once: PositiveInt = 4800
    """most candidates simulated at once, each in a copy of the world; how many changes no bit of a plan"""
    frameskip: PositiveInt = 5
    """actions in an action block, whatever the model's; a plan has `horizon` action blocks"""
    block_correlation: float = 0.8
    path_weight: NonNegativeFloat = 0.1
    """weight of the mean distance on the way beside the final distance; breaks ties in favour of arriving early"""
    from_demonstration: bool = False
    """whether the first mean is what was recorded between start and goal, idle actions after it, and the plan never
    costs more than that; where contacts make a search miss goals, such as in Push-T, this makes it a ceiling, provided
    that a plan is as long as the recording. `init_std` is then how far around the recording it searches"""
    geodesic: bool = False
    """whether distances in its cost are those of the shortest way (`World.geodesic`) where the world knows it: by the
    straight distance a goal behind a wall draws it to the wall when its plan is too short to come round"""


@PLANNERS.register("oracle")
class Oracle(Planner):
    """Searches actions in copies of the true world; its cost is the task's distance to the goal, or the way to it."""

    Config = OracleConfig
    privileged = True

    def __init__(self, config: OracleConfig, setting: PlanningSetting) -> None:
        self.config = config
        self.setting = setting
        self.spec = setting.spec()
        self._worlds: dict[int, World] = {}

    @property
    def plan_steps(self) -> int:
        """Returns H·K, in action blocks of the oracle's own frameskip."""
        return self.config.horizon * self.config.frameskip

    def plan(self, situation: Situation) -> Plan:
        """Returns plans of H·K steps, or of the steps left, and the states that they really lead to."""
        groups = self.config.groups(len(situation.seeds))
        return Plan.joined([self._plan_group(situation.part(group)) for group in groups])

    def close(self) -> None:
        """Closes the worlds."""
        while self._worlds:
            self._worlds.popitem()[1].close()

    def _plan_group(self, situation: Situation) -> Plan:
        started = time.perf_counter()
        config = self.config.within(situation.steps_left, self.config.frameskip)
        cost = self.cost(situation.state, situation.goal_state, situation.goal_kind)
        low, high = (torch.tensor(end, dtype=torch.float32) for end in (self.spec.action_low, self.spec.action_high))
        recorded_PHKA = self._recorded(situation, config.horizon) if config.from_demonstration else None
        action_PHKA = minimise(
            cost,
            situation.seeds,
            (config.frameskip, self.spec.action_size),
            low,
            high,
            config,
            self.setting.carried_out(),
            None if recorded_PHKA is None else ActionSpace(low, high).unit(recorded_PHKA),
        )
        if recorded_PHKA is not None:
            # The mean of good candidates may be worse than any of them: contacts make the cost jump.
            pair_PSHKA = torch.stack([action_PHKA, recorded_PHKA], dim=1)
            action_PHKA = best_candidates(pair_PSHKA, cost(pair_PSHKA), 1)[:, 0]
        action_PLA = action_PHKA.flatten(1, 2).numpy()
        simulated = self.simulate(situation.state, action_PLA)
        seconds = (time.perf_counter() - started) / len(action_PLA)
        return Plan(action_PLA, np.full(len(action_PLA), seconds), state=simulated)

    def _recorded(self, situation: Situation, horizon: int) -> Tensor:
        """Returns what was recorded from now on, as actions of a plan (P, H, K, A)."""
        frameskip = self.config.frameskip
        action_PLA = up_to(recorded_actions(situation, "oracle"), horizon * frameskip, self.spec.idle_action)
        carried_out_PLA = self.spec.carried_out(action_PLA.reshape(-1, action_PLA.shape[-1])).reshape(action_PLA.shape)
        recorded: Tensor = torch.from_numpy(carried_out_PLA).view(-1, horizon, frameskip, action_PLA.shape[-1])
        return recorded

    def cost(self, state: State, goal: State, goal_kind: str) -> Cost:
        """Returns the cost of action sequences: the final distance to the goal, and a little of that on the way."""

        def cost(action_PSHKA: Tensor) -> Tensor:
            action_PSLA = action_PSHKA.flatten(2, 3)
            at_once = max(1, self.config.candidates_at_once // len(action_PSLA))
            parts = [self._cost(state, goal, goal_kind, part.numpy()) for part in action_PSLA.split(at_once, dim=1)]
            return torch.from_numpy(np.concatenate(parts, axis=1))

        return cost

    def _cost(self, state: State, goal: State, goal_kind: str, action_PCLA: NDArray[np.float32]) -> NDArray[np.float32]:
        problems, candidates, steps = action_PCLA.shape[:3]
        world = self._world(problems * candidates)
        world.restore({name: np.repeat(value, candidates, axis=0) for name, value in state.items()})
        goals = {name: np.repeat(value, candidates, axis=0) for name, value in goal.items()}
        total_B = np.zeros(problems * candidates, dtype=np.float32)
        for action_BA in np.ascontiguousarray(np.moveaxis(action_PCLA.reshape(-1, *action_PCLA.shape[2:]), 1, 0)):
            world.advance(action_BA)
            distance_B = self._distance(world, goals, goal_kind)
            total_B += distance_B
        cost_B: NDArray[np.float32] = distance_B + self.config.path_weight * total_B / steps
        return cost_B.reshape(problems, candidates)

    def _distance(self, world: World, goals: State, goal_kind: str) -> NDArray[np.float32]:
        way_B = world.geodesic(world.state(), goals) if self.config.geodesic else None
        return world.distance(goals, goal_kind) if way_B is None else way_B

    def simulate(self, state: State, action_PLA: NDArray[np.float32]) -> State:
        """Returns the states (P, L+1, d) that the actions lead to."""
        world = self._world(len(action_PLA))
        world.restore(state)
        visited: list[dict[str, Any]] = [world.state()]
        for action_PA in action_PLA.transpose(1, 0, 2):
            world.advance(np.ascontiguousarray(action_PA))
            visited.append(world.state())
        return {name: np.stack([step[name] for step in visited], axis=1) for name in visited[0]}

    def _world(self, copies: int) -> World:
        if copies not in self._worlds:
            self._worlds[copies] = make_world(self.setting.world, copies, **self.setting.world_options)
        return self._worlds[copies]
