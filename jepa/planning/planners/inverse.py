"""Planner `inverse`: the head `inverse` acts, block by block, with no search.

Its plan for more than one answer of the head goes on from the latents that the model imagines after the last one.
Looking again after each block (`replan_every` equal to the model's frameskip) puts real frames in their place.
Shapes: P problems, T context frames, H action blocks, K actions in an action block, L actions, A action dimensions,
D latent.
"""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveInt
from torch import Tensor

from jepa.core.config import Config
from jepa.planning.heads.rollout import inverse_rollout
from jepa.planning.planner import PLANNERS, Plan, Planner, PlanningSetting, Situation


class InverseConfig(Config):
    """How long a plan is."""

    horizon: PositiveInt = 5
    """length of a plan in action blocks; the goal should be reached at its end where nobody says when"""


@PLANNERS.register("inverse")
class InversePlanner(Planner):
    """Does what the recorded episodes did between such frames."""

    Config = InverseConfig

    def __init__(self, config: InverseConfig, setting: PlanningSetting) -> None:
        self.config = config
        self.model = setting.model.eval()
        self.history = self.model.config.history
        self.device = next(self.model.parameters()).device
        self.rollout = inverse_rollout(setting)

    @classmethod
    def needs_heads(cls, config: Any) -> tuple[str, ...]:
        """Returns the one head."""
        return ("inverse",)

    @property
    def plan_steps(self) -> int:
        """Returns H·K, in action blocks of the model's frameskip."""
        return self.config.horizon * int(self.model.config.frameskip)

    @torch.inference_mode()
    def plan(self, situation: Situation) -> Plan:
        """Returns plans of H·K steps, or of the steps left, and the latents imagined after each action block."""
        started = time.perf_counter()
        z_PTD = self.model.encode(self._tensor(situation.pixels_PTHWC))
        goal_PD = self.model.encode(self._tensor(situation.goal_pixels_PHWC[:, None]))[:, 0]
        past_PTKA = self._tensor(situation.past_action_PTKA)
        steps_left = self.plan_steps if situation.steps_left is None else situation.steps_left
        frameskip = self.model.config.frameskip
        blocks = min(self.config.horizon, max(1, -(-steps_left // frameskip)))
        action_PHKA, latent_PHD = self.rollout.plan(z_PTD, past_PTKA, goal_PD, steps_left, blocks)
        action_PLA = action_PHKA.flatten(1, 2).cpu().numpy()
        seconds = (time.perf_counter() - started) / len(action_PLA)
        return Plan(action_PLA, np.full(len(action_PLA), seconds), latent_PHD=latent_PHD.float().cpu().numpy())

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
