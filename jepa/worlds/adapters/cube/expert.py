"""The policy that picks the cube up and puts it down elsewhere: OGBench's own closed-loop oracle, with noise.

Shapes: N copies, A = 5 action dimensions.
"""

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from jepa.core.episodes import Actions
from jepa.core.seeds import episode_generator
from jepa.worlds.adapters.cube.perturbations import TABLE
from jepa.worlds.adapters.packages import import_package
from jepa.worlds.policies import POLICIES, Policy
from jepa.worlds.world import World

ARM_BOUNDS = np.array([[0.25, -0.35, 0.20], [0.6, 0.35, 0.35]])
"""Where the package lets the gripper rest between two tasks."""
NOISE = 0.1
"""Upper end of an episode's noise level; x, y and z take it once, the yaw three times, the gripper ten times."""


class _Operator:
    """Carries one episode's cube to one random place after another."""

    def __init__(self, oracle_type: Any, seed: int) -> None:
        self._rng = episode_generator(seed, "policy")
        # The oracle reads nothing of an environment but where the arm may rest.
        bounds = SimpleNamespace(unwrapped=SimpleNamespace(_arm_sampling_bounds=ARM_BOUNDS))
        self._oracle = oracle_type(env=bounds, min_norm=0.4)
        self._level = self._rng.uniform(0, NOISE)
        self._choose()

    def act(self, info: dict[str, Any]) -> np.ndarray[Any, Any]:
        """Returns the next action before clipping, (5,)."""
        if self._oracle.done:
            self._choose()
        goal = {"privileged/target_block_pos": self._goal, "privileged/target_block_yaw": [self._goal_yaw]}
        action = np.asarray(self._oracle.select_action(None, info | goal))
        return action + self._rng.normal(0, self._level * np.array([1, 1, 1, 3, 10]))

    def _choose(self) -> None:
        self._oracle.reset(None, None)
        # It draws from numpy's global generator; an episode may depend on its own seed only.
        self._oracle._final_pos = self._rng.uniform(*ARM_BOUNDS)
        self._oracle._final_yaw = self._rng.uniform(-math.pi, math.pi)
        self._goal = np.array([*self._rng.uniform(*TABLE), 0.02])
        self._goal_yaw = self._rng.uniform(0, 2 * math.pi)


@POLICIES.register("cube/expert")
class CubeExpert(Policy):
    """Grasps the cube, carries it to a random place, releases it and rests, and again: OGBench's Markov oracle."""

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Gives each episode its own operator."""
        oracle_type = import_package("cube", "ogbench.manipspace.oracles.markov.cube_markov").CubeMarkovOracle
        self._operators = [_Operator(oracle_type, seed) for seed in seeds]

    def act(self, world: World) -> Actions:
        """Returns each operator's next action, float32 (N, 5)."""
        state = world.state()
        effector_yaw_N = np.arctan2(state["effector_heading"][:, 1], state["effector_heading"][:, 0])
        block_yaw_N = np.arctan2(state["block_heading"][:, 1], state["block_heading"][:, 0])
        actions = [
            operator.act(
                {
                    "proprio/effector_pos": state["effector_position"][n].astype(np.float64),
                    "proprio/effector_yaw": effector_yaw_N[n : n + 1],
                    "proprio/gripper_opening": state["gripper_opening"][n],
                    "proprio/gripper_contact": float(state["gripper_contact"][n, 0]),
                    "privileged/target_block": 0,
                    "privileged/block_0_pos": state["block_position"][n].astype(np.float64),
                    "privileged/block_0_yaw": block_yaw_N[n : n + 1],
                }
            )
            for n, operator in enumerate(self._operators)
        ]
        return np.clip(np.array(actions, dtype=np.float32), -1, 1)
