"""A world whose latents are its states and whose times are known: a point in the unit square with nothing in its way.

Along each axis it moves by `SPEED` a step at most, so that the fewest steps between two places are ‖Δ‖_∞ / SPEED.
Shapes: E episodes, T steps, N frames, P problems, T context frames, H action blocks, K actions of a block, A actions.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jepa.core.seeds import torch_generator
from jepa.models.world_model import ModelConfig
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.planner import Situation
from jepa.worlds.two_room.world import SPEED

STEP = float(SPEED)


class SquareModel(nn.Module):
    """The identity as encoder, the truth as predictor; its bounds are those of Two-Room's actions."""

    def __init__(self) -> None:
        super().__init__()
        self.config = ModelConfig(latent_size=2)
        self.unused = nn.Parameter(torch.zeros(1))

    def encode(self, place_PT2: Tensor) -> Tensor:
        return place_PT2.float()

    def rollout(self, z_BT2: Tensor, action_BHK2: Tensor, past_action_BTK2: Tensor | None = None) -> Tensor:
        place_B2, passed = z_BT2[:, -1].repeat_interleave(len(action_BHK2) // len(z_BT2), 0), []
        for action_BK2 in action_BHK2.unbind(1):
            for action_B2 in action_BK2.unbind(1):
                place_B2 = (place_B2 + STEP * action_B2).clamp(0, 1)
            passed.append(place_B2)
        return torch.stack(passed, dim=1)


def walks(count: int, steps: int = 64, seed: int = 0, low: float = 0.0, high: float = 1.0) -> LatentEpisodes:
    """Returns walks at full speed along each axis to one random place after another, all between `low` and `high`."""
    generator = torch_generator(seed, "open square")

    def places() -> Tensor:
        return low + (high - low) * torch.rand(count, 2, generator=generator)

    place_E2, aim_E2 = places(), places()
    seen, done = [place_E2], []
    for _ in range(steps):
        aim_E2 = torch.where(((aim_E2 - place_E2).abs().amax(1) < 1e-6)[:, None], places(), aim_E2)
        action_E2 = ((aim_E2 - place_E2) / STEP).clamp(-1, 1)
        place_E2 = place_E2 + STEP * action_E2
        done.append(action_E2)
        seen.append(place_E2)
    z_N2 = torch.stack(seen, dim=1).flatten(0, 1)
    action_ET2 = torch.stack([*done, torch.zeros(count, 2)], dim=1)
    return LatentEpisodes(
        z_ND=z_N2,
        action_NA=action_ET2.flatten(0, 1),
        state={"agent_position": z_N2},
        start_E=torch.arange(count) * (steps + 1),
        steps_E=torch.full((count,), steps),
    )


def joined(one: LatentEpisodes, other: LatentEpisodes) -> LatentEpisodes:
    """Returns the episodes of both."""
    return LatentEpisodes(
        z_ND=torch.cat([one.z_ND, other.z_ND]),
        action_NA=torch.cat([one.action_NA, other.action_NA]),
        state={"agent_position": torch.cat([one.z_ND, other.z_ND])},
        start_E=torch.cat([one.start_E, other.start_E + len(one.z_ND)]),
        steps_E=torch.cat([one.steps_E, other.steps_E]),
    )


def least_steps(one_X2: Tensor, other_X2: Tensor) -> Tensor:
    """Returns the fewest environment steps (...) between places (..., 2)."""
    return (one_X2 - other_X2).abs().amax(-1) / STEP


def situation(start_P2: Tensor, goal_P2: Tensor, **changes: Any) -> Situation:
    """Returns starts and goals in the place of their frames."""
    past = np.zeros((len(start_P2), 0, 5, 2), dtype=np.float32)
    values: dict[str, Any] = {"seeds": list(range(len(start_P2))), **changes}
    frames: Any = start_P2[:, None].numpy()
    return Situation(frames, past, {}, goal_P2.numpy(), {}, "uniform", **values)
