"""Latents that are positions, walked in straight lines: the inverse dynamics are (goal - position) / steps."""

import torch

from jepa.core.seeds import torch_generator
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.worlds.two_room.world import SPEED


def straight_episodes(count: int, steps: int = 30, seed: int = 0) -> LatentEpisodes:
    """Returns walks through the unit square with one velocity each, actions in units of Two-Room's speed a step."""
    generator = torch_generator(seed, "straight")
    ends = torch.rand(count, 2, 2, generator=generator)
    velocity_E2 = (ends[:, 1] - ends[:, 0]) / steps
    time_T = torch.arange(steps + 1)[None, :, None]
    z_ET2 = ends[:, :1] + time_T * velocity_E2[:, None]
    action_ET2 = (velocity_E2 / float(SPEED))[:, None].repeat(1, steps + 1, 1)
    action_ET2[:, -1] = 0
    steps_E = torch.full((count,), steps)
    return LatentEpisodes(
        z_ND=z_ET2.flatten(0, 1),
        action_NA=action_ET2.flatten(0, 1),
        state={"position": z_ET2.flatten(0, 1)},
        start_E=torch.arange(count) * (steps + 1),
        steps_E=steps_E,
    )
