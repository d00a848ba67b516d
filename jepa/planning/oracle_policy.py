"""The policy that needs no script: it plans, in copies of the true world, how to reach one goal after another.

Shapes: N copies, A action dimensions, L actions of a plan, d dimensions of a quantity.
"""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Any, cast

import numpy as np

from jepa.core.episodes import Actions, State
from jepa.core.seeds import episode_generator
from jepa.planning.planner import PlanningSetting, Situation
from jepa.planning.planners.oracle import Oracle, OracleConfig
from jepa.worlds.policies import POLICIES, Policy
from jepa.worlds.world import World, make_world


@POLICIES.register("oracle")
class OraclePlanning(Policy):
    """Goes to the place of another, freshly drawn episode by the cross-entropy method in the true world; slow and sure.

    Each episode draws a goal from its own seed, plans for it, acts, plans again, and draws another one when it is there
    or has tried for long.
    """

    noise = 0.1
    """Standard deviation of the noise on each action, in units of half the action range."""
    plan_steps = 10
    """Actions of a plan that are carried out before the next one."""
    patience = 4
    """Plans after which a goal that was not reached is given up."""
    samples, elites, iterations, horizon, frameskip = 48, 6, 3, 3, 5
    """The search's sizes: small, for every sample is simulated; a plan is `horizon` action blocks of `frameskip`."""

    def __init__(self) -> None:
        self._opened = ExitStack()

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Draws each episode's first goal."""
        self._rngs = [episode_generator(seed, "policy") for seed in seeds]
        self._name, self._options = world.world_spec.name, {"image_size": world.world_spec.image_size}
        self._goal_kind = world.world_spec.goal_kinds[0].name
        self._scratch = self._opened.enter_context(closing(make_world(self._name, 1, **self._options)))
        self._planner = self._opened.enter_context(closing(self._make_planner()))
        self._plans_left = [self.patience] * len(seeds)
        goals = [self._draw_goal(n) for n in range(len(seeds))]
        self.goal: State = {name: np.concatenate([goal[name] for goal in goals]) for name in goals[0]}
        self._step = 0

    def act(self, world: World) -> Actions:
        """Returns the next action of every episode's plan with noise, float32 (N, A)."""
        if self._step % self.plan_steps == 0:
            self._renew_goals(world)
            self._plan_NLA = self._plan(world)
        spec = world.world_spec
        action_NA = self._plan_NLA[:, self._step % self.plan_steps]
        self._step += 1
        half_range = (spec.action_high - spec.action_low) / 2
        kicks = [rng.normal(0, self.noise * half_range, spec.action_size) for rng in self._rngs]
        return np.clip(action_NA + np.stack(kicks), spec.action_low, spec.action_high).astype(np.float32)

    def close(self) -> None:
        """Closes the copies of the world that goals are drawn and plans are searched in."""
        self._opened.close()

    def _make_planner(self) -> Oracle:
        config = OracleConfig(
            samples=self.samples,
            candidates_at_once=self.samples,
            elites=self.elites,
            iterations=self.iterations,
            horizon=self.horizon,
            frameskip=self.frameskip,
        )
        # The true world takes the place of the model, so there is none to give.
        return Oracle(config, PlanningSetting(cast(Any, None), self._name, self._options))

    def _plan(self, world: World) -> Actions:
        copies, spec = world.num_envs, world.world_spec
        self._plans_left = [left - 1 for left in self._plans_left]
        situation = Situation(
            pixels_PTHWC=np.zeros((copies, 1, 0, 0, 3), dtype=np.uint8),
            past_action_PTKA=np.zeros((copies, 0, self.frameskip, spec.action_size), dtype=np.float32),
            state=world.state(),
            goal_pixels_PHWC=np.zeros((copies, 0, 0, 3), dtype=np.uint8),
            goal_state=self.goal,
            goal_kind=self._goal_kind,
            seeds=[int(rng.integers(2**63)) for rng in self._rngs],
        )
        return np.asarray(self._planner.plan(situation).action_PLA)

    def _renew_goals(self, world: World) -> None:
        """Draws another goal for each episode that has reached its own or lost its patience."""
        for n, reached in enumerate(world.success(self.goal, self._goal_kind)):
            if reached or not self._plans_left[n]:
                goal = self._draw_goal(n)
                for name, value in self.goal.items():
                    value[n] = goal[name][0]

    def _draw_goal(self, n: int) -> State:
        rng = self._rngs[n]
        self._plans_left[n] = self.patience
        self._scratch.begin([int(rng.integers(2**31))], [self._scratch.world_spec.sample_variation(rng)])
        return self._scratch.state()
