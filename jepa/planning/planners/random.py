"""The floor of every comparison: actions drawn uniformly from the action space."""

import time

import numpy as np
from pydantic import PositiveInt

from jepa.core.config import Config
from jepa.core.seeds import numpy_generator
from jepa.planning.planner import PLANNERS, Plan, Planner, PlanningSetting, Situation


class RandomConfig(Config):
    """How long a random action plan is."""

    steps: PositiveInt = 25
    """length of an action plan in environment steps"""


@PLANNERS.register("random")
class RandomPlanner(Planner):
    """Looks at nothing."""

    Config = RandomConfig

    def __init__(self, config: RandomConfig, setting: PlanningSetting) -> None:
        self.config = config
        self.spec = setting.spec()

    @property
    def plan_steps(self) -> int:
        """Returns the length that was asked for."""
        return self.config.steps

    def plan(self, situation: Situation) -> Plan:
        """Returns uniform actions, each problem's from its own seed."""
        started = time.perf_counter()
        shape = (self.config.steps, self.spec.action_size)
        drawn = [
            numpy_generator(seed).uniform(self.spec.action_low, self.spec.action_high, shape)
            for seed in situation.seeds
        ]
        action_PLA = np.stack(drawn).astype(np.float32)
        seconds = (time.perf_counter() - started) / len(action_PLA)
        return Plan(action_PLA, np.full(len(action_PLA), seconds))
