"""What a model imagines of candidates, and what that costs; few enough candidates at once to fit the memory.

Shapes: P problems, S samples, C candidates rolled out at once, T context frames, H action blocks, K actions in an
action block, A action dimensions, D latent.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from jepa.models.world_model import WorldModel
from jepa.planning.costs.cost import PlanCost


@dataclass(frozen=True)
class Imagination:
    """The present and the goals of P problems as a model sees them, encoded once for a whole search."""

    model: WorldModel
    plan_cost: PlanCost
    z_PTD: Tensor
    """Latents of the context, the newest last."""
    past_action_PTKA: Tensor
    """The T-1 action blocks between them, raw."""
    goal_PD: Tensor
    steps_left: int | None
    """Environment steps in which the goal should be reached."""
    at_once: int
    """Most candidates that are rolled out together."""

    def cost(self, action_PSHKA: Tensor) -> Tensor:
        """Returns the costs (P, S) of raw action sequences."""
        size = max(1, self.at_once // len(action_PSHKA))
        parts = [self.cost_at_once(action_PCHKA) for action_PCHKA in action_PSHKA.split(size, dim=1)]
        return torch.cat(parts, dim=1)

    def cost_at_once(self, action_PCHKA: Tensor) -> Tensor:
        """Returns the costs (P, C) of raw action sequences that are rolled out together."""
        return self.plan_cost(self.imagine(action_PCHKA), self.goal_PD, self.steps_left)

    def imagine(self, action_PCHKA: Tensor) -> Tensor:
        """Returns the latents (P, C, H, D) after each action block of raw action sequences."""
        past_action_PTKA = self.past_action_PTKA if self.past_action_PTKA.shape[1] else None
        # Candidates of a problem have its context in common, so that what comes of it is computed once.
        z_BHD: Tensor = self.model.rollout(self.z_PTD, action_PCHKA.flatten(0, 1), past_action_PTKA)
        z_PCHD: Tensor = z_BHD.unflatten(0, action_PCHKA.shape[:2])
        return z_PCHD
