"""A whole plan by the head `inverse`: its answer, the latents that the model imagines after it, the next answer.

Shapes: P problems, T context frames, H action blocks, K actions in an action block, A action dimensions, D latent.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from jepa.models.world_model import WorldModel
from jepa.planning.heads.inverse import InverseHead
from jepa.planning.planner import PlanningSetting
from jepa.planning.search.space import CarriedOut


@dataclass(frozen=True)
class InverseRollout:
    """The head with what its answers are carried out in: the model's imagination, and the world's bounds."""

    model: WorldModel
    head: InverseHead
    low: Tensor
    """smallest raw action, (A,)"""
    high: Tensor
    """largest raw action, (A,)"""
    carried_out: CarriedOut | None = None
    """what the world makes of actions, where it does not take every value as it is"""

    def plan(
        self, z_PTD: Tensor, past_action_PTKA: Tensor, goal_PD: Tensor, steps_left: int, blocks: int
    ) -> tuple[Tensor, Tensor]:
        """Returns raw actions (P, H, K, A) and the latents (P, H, D) imagined after each action block.

        Args:
            z_PTD: latents of the context, the newest last.
            past_action_PTKA: the T-1 action blocks between them, raw.
            goal_PD: latents of the goals.
            steps_left: environment steps in which the goals should be reached.
            blocks: H.
        """
        frameskip = self.model.config.frameskip
        context, past, done = z_PTD, past_action_PTKA, 0
        actions, latents = [], []
        while done < blocks:
            answer_PLA = self.head(context[:, -1], goal_PD, steps_left - done * frameskip)
            action_PBKA = self._possible(answer_PLA).unflatten(1, (-1, frameskip))[:, : blocks - done]
            latent_PBD = self.model.rollout(context, action_PBKA, past if past.shape[1] else None)
            actions.append(action_PBKA)
            latents.append(latent_PBD)
            context, past = torch.cat([context, latent_PBD], dim=1), torch.cat([past, action_PBKA], dim=1)
            done += action_PBKA.shape[1]
        return torch.cat(actions, dim=1), torch.cat(latents, dim=1)

    def _possible(self, action_PLA: Tensor) -> Tensor:
        """Returns actions that the world takes; options are picked before values are clipped."""
        picked = action_PLA if self.carried_out is None else self.carried_out(action_PLA)
        return torch.minimum(torch.maximum(picked, self.low), self.high)


def inverse_rollout(setting: PlanningSetting) -> InverseRollout:
    """Returns the setting's head `inverse`, ready to plan, on the model's device.

    Raises:
        InputError: the setting has no such head, or one of another model.
    """
    model, spec = setting.model, setting.spec()
    device = next(model.parameters()).device
    bounds = spec.action_low, spec.action_high
    low, high = (torch.tensor(bound, dtype=torch.float32, device=device) for bound in bounds)
    head = cast(InverseHead, setting.head("inverse")).to(device)
    return InverseRollout(model, head, low, high, setting.carried_out())
