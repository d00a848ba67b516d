"""A world whose latents are its states and whose model is the truth: z' = M z + N a, with a quadratic cost.

Shapes: P problems, T context frames, H action blocks, K actions in an action block, A action dimensions, D latent.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jepa.models.world_model import ModelConfig
from jepa.planning import PlanningSetting
from jepa.planning.planner import Situation

LATENT, FRAMESKIP, ACTIONS = 3, 2, 2


class LinearModel(nn.Module):
    """The identity as encoder and the true linear dynamics as predictor; its bounds are those of Two-Room's actions."""

    def __init__(self, history: int = 1) -> None:
        super().__init__()
        self.config = ModelConfig(latent_size=LATENT, frameskip=FRAMESKIP, action_size=ACTIONS, history=history)
        draw = torch.Generator().manual_seed(1)
        self.drift_DD = nn.Parameter(torch.eye(LATENT) + 0.2 * torch.randn(LATENT, LATENT, generator=draw))
        self.push_DX = nn.Parameter(0.5 * torch.randn(LATENT, FRAMESKIP * ACTIONS, generator=draw))
        self.contexts: list[int] = []
        """Frames that each rollout was given."""
        self.batches: list[int] = []
        """Candidates of each rollout."""

    def encode(self, state_PTD: Tensor) -> Tensor:
        return state_PTD.float()

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        assert (z_BTD.shape[1] == 1) == (past_action_BTKA is None)
        self.contexts.append(z_BTD.shape[1])
        self.batches.append(len(action_BHKA))
        z_BD, imagined = z_BTD[:, -1].repeat_interleave(len(action_BHKA) // len(z_BTD), 0), []
        for action_BKA in action_BHKA.unbind(1):
            z_BD = z_BD @ self.drift_DD.T + action_BKA.flatten(1) @ self.push_DX.T
            imagined.append(z_BD)
        return torch.stack(imagined, dim=1)

    def least_cost(self, start_D: Tensor, goal_D: Tensor, horizon: int, path_weight: float) -> tuple[float, Tensor]:
        """Returns the least ‖z_H − z_g‖² + w · mean ‖z_h − z_g‖², by least squares, and the actions that reach it."""
        drift, push = self.drift_DD.detach().double(), self.push_DX.detach().double()
        rows, wanted, power = [], [], torch.eye(LATENT, dtype=torch.float64)
        effects: list[Tensor] = []
        for step in range(horizon):
            power, effects = drift @ power, [*(drift @ effect for effect in effects), push]
            weight = (path_weight / horizon + (step == horizon - 1)) ** 0.5
            later = torch.zeros(LATENT, push.shape[1] * (horizon - 1 - step), dtype=torch.float64)
            rows.append(weight * torch.cat([*effects, later], dim=1))
            wanted.append(weight * (goal_D.double() - power @ start_D.double()))
        matrix, target = torch.cat(rows), torch.cat(wanted)
        solution = torch.linalg.pinv(matrix) @ target
        return float((matrix @ solution - target).square().sum()), solution


def setting(model: Any) -> PlanningSetting:
    """Returns what a planner is built from."""
    return PlanningSetting(model, "two_room", {})


def situation(problems: int, seed: int = 0, frames: int = 1, reach: float = 0.3, **changes: Any) -> Situation:
    """Returns starts and goals, each `reach` from the origin or so, in the place of their frames."""
    rng = np.random.default_rng(seed)
    start_PTD, goal_PD = (
        (reach * rng.standard_normal(shape)).astype(np.float32)
        for shape in ((problems, frames, LATENT), (problems, LATENT))
    )
    past: NDArray[np.float32] = rng.uniform(-1, 1, (problems, frames - 1, FRAMESKIP, ACTIONS)).astype(np.float32)
    values: dict[str, Any] = {"seeds": list(range(7, 7 + problems)), **changes}
    return Situation(start_PTD, past, {}, goal_PD, {}, "uniform", **values)  # type: ignore[arg-type]


def cost_of(model: LinearModel, seen: Situation, plan_PLA: NDArray[np.float32], path_weight: float) -> Tensor:
    """Returns the true costs (P,) of plans."""
    action = torch.from_numpy(plan_PLA).unflatten(1, (-1, FRAMESKIP))
    z_PHD = model.rollout(torch.from_numpy(seen.pixels_PTHWC[:, -1:]).float(), action).detach()
    distance_PH = (z_PHD - torch.from_numpy(seen.goal_pixels_PHWC)[:, None].float()).square().sum(-1)
    return distance_PH[:, -1] + path_weight * distance_PH.mean(1)
