"""The ceiling of every comparison: the same cross-entropy method, with the true world in the place of the model.

Shapes: P problems, S samples, H blocks, K actions in a block, L = H·K steps, A action and d state dimensions.
"""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor

from jepa.core.episodes import State
from jepa.planning.cross_entropy import CEMConfig, Cost, minimise
from jepa.planning.planner import PLANNERS, Plan, Planner, PlanningSetting, Situation
from jepa.worlds.world import World, make_world


class OracleConfig(CEMConfig):
    """The cross-entropy method's sizes and the oracle's cost.

    The noise is the same within most of a block: white noise walks in place, and would leave the doorway unfound.
    """

    block_actions: PositiveInt = 5
    """actions in a block; a plan has `horizon` blocks"""
    block_correlation: float = 0.8
    path_weight: NonNegativeFloat = 0.1
    """weight of the mean distance on the way beside the final distance; breaks ties in favour of arriving early"""


@PLANNERS.register("oracle")
class Oracle(Planner):
    """Searches actions in copies of the true world; its cost is the task's own distance to the goal."""

    config_type = OracleConfig

    def __init__(self, config: OracleConfig, setting: PlanningSetting) -> None:
        self.config = config
        self.setting = setting
        self.spec = setting.spec()
        self._copies: dict[int, World] = {}

    def plan(self, situation: Situation) -> Plan:
        """Returns plans of H·K steps and the states that they really lead to, the present one first."""
        size, problems = self.config.problems_at_once, len(situation.seeds)
        groups = [slice(start, min(start + size, problems)) for start in range(0, problems, size)]
        parts = [self._plan_group(situation, group) for group in groups]
        actions, states, seconds = zip(*parts, strict=True)
        state = {name: np.concatenate([part[name] for part in states]) for name in states[0]}
        return Plan(np.concatenate(actions), np.concatenate(seconds), state=state)

    def _plan_group(self, situation: Situation, group: slice) -> tuple[NDArray[np.float32], State, NDArray[np.float64]]:
        started = time.perf_counter()
        state = {name: value[group] for name, value in situation.state.items()}
        goal = {name: value[group] for name, value in situation.goal_state.items()}
        action_PHKA = minimise(
            self.cost(state, goal),
            situation.seeds[group],
            (self.config.block_actions, self.spec.action_size),
            torch.tensor(self.spec.action_low, dtype=torch.float32),
            torch.tensor(self.spec.action_high, dtype=torch.float32),
            self.config,
        )
        action_PLA = action_PHKA.flatten(1, 2).numpy()
        simulated = self.simulate(state, action_PLA)
        return action_PLA, simulated, np.full(len(action_PLA), (time.perf_counter() - started) / len(action_PLA))

    def cost(self, state: State, goal: State) -> Cost:
        """Returns the cost of action sequences: the final distance to the goal, and a little of that on the way."""

        def cost(action_PSHKA: Tensor) -> Tensor:
            problems, samples = action_PSHKA.shape[:2]
            step_action_LBA = action_PSHKA.flatten(2, 3).flatten(0, 1).transpose(0, 1).contiguous().numpy()
            world = self._world(problems * samples)
            world.restore({name: np.repeat(value, samples, axis=0) for name, value in state.items()})
            goals = {name: np.repeat(value, samples, axis=0) for name, value in goal.items()}
            total_B = np.zeros(problems * samples, dtype=np.float32)
            for action_BA in step_action_LBA:
                world.advance(action_BA)
                distance_B = world.distance(goals)
                total_B += distance_B
            cost_B = distance_B + self.config.path_weight * total_B / len(step_action_LBA)
            return torch.from_numpy(cost_B).view(problems, samples)

        return cost

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
        if copies not in self._copies:
            self._copies[copies] = make_world(self.setting.world, copies, **self.setting.world_options)
        return self._copies[copies]
