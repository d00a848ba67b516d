"""What was recorded, done again: the actions between start and goal, which prove that the goal can be reached."""

import time

import numpy as np

from jepa.core.config import Config
from jepa.core.episodes import Actions
from jepa.core.errors import InputError
from jepa.planning.planner import PLANNERS, Plan, Planner, PlanningSetting, Situation

LONGEST_PLAN = 1_000_000
"""As long as any budget: a demonstration's own length is its problem's."""


class DemonstrationConfig(Config):
    """Nothing to choose."""


@PLANNERS.register("demonstration")
class Demonstration(Planner):
    """Replays the recorded actions, then the action in the middle of the range."""

    Config = DemonstrationConfig
    privileged = True

    def __init__(self, config: DemonstrationConfig, setting: PlanningSetting) -> None:
        self.idle = setting.spec().idle_action

    @property
    def plan_steps(self) -> int:
        """Returns more steps than any budget has."""
        return LONGEST_PLAN

    def plan(self, situation: Situation) -> Plan:
        """Returns what is left of the recorded actions, and after them idle ones up to the steps left.

        Raises:
            InputError: the problems come without recorded actions.
        """
        started = time.perf_counter()
        recorded_PLA = recorded_actions(situation, "demonstration")
        action_PLA = up_to(recorded_PLA, max(recorded_PLA.shape[1], situation.steps_left or 1), self.idle)
        seconds = (time.perf_counter() - started) / len(action_PLA)
        return Plan(action_PLA, np.full(len(action_PLA), seconds))


def recorded_actions(situation: Situation, planner: str) -> Actions:
    """Returns the recorded actions from now on, (P, L, A).

    Raises:
        InputError: the problems come without them.
    """
    if situation.demonstration_PLA is None:
        raise InputError(
            f"planner {planner!r} needs the actions that were recorded between start and goal, which these problems "
            "lack; draw problems from recorded episodes"
        )
    return situation.demonstration_PLA


def up_to(action_PLA: Actions, steps: int, idle: float) -> Actions:
    """Returns the first `steps` actions, followed by idle ones where there are fewer."""
    lacking = max(0, steps - action_PLA.shape[1])
    return np.pad(action_PLA[:, :steps], ((0, 0), (0, lacking), (0, 0)), constant_values=np.float32(idle))
