"""What can happen to the package's Two-Room that its dynamics do not explain: as in our own, at its own scale."""

from typing import Any

import numpy as np
import torch

from jepa.core.episodes import Pixels
from jepa.worlds.perturbations import SHARE, STEPS_WAY, Lasting, Perturbation, ignore_action, recolour, reverse, vanish

WAYS = (0.5, 1.0, 2.0, 3.0, 5.0, 13.0)
NOWHERE = (-1e4, -1e4)

PERTURBATIONS = (
    Perturbation(
        "teleport",
        "continuity",
        physical=True,
        unit=STEPS_WAY,
        strengths=WAYS,
        strength=13.0,
        description="the agent is at a free place so far away; in full, anywhere at least 65 pixels away",
        full_is_at_least=True,
    ),
    recolour("the agent", "hue"),
    Perturbation(
        "resize",
        "immutability",
        physical=False,
        unit=f"{SHARE} of the radius",
        strengths=(0.1, 0.2, 0.35, 0.5, 1.0),
        strength=1.0,
        description="the agent looks larger by that part, and is held by walls as before",
    ),
    vanish("the agent"),
    Perturbation(
        "duplicate",
        "permanence",
        physical=True,
        unit=STEPS_WAY,
        strengths=WAYS,
        strength=13.0,
        description="a second agent that does as the first one does, so far from it",
    ),
    Perturbation(
        "pass_through",
        "solidity",
        physical=True,
        unit=STEPS_WAY,
        strengths=(1.0, 2.0, 3.0, 5.0, 7.0),
        strength=7.0,
        description="an agent near the wall is so far beyond where the wall stops it; from 6 on, on its other side",
    ),
    reverse(),
    ignore_action(),
)


def draw(scene: Any, lasting: Lasting, second_2: Any) -> Pixels:
    """Returns the package's picture (H, W, 3) with the agent's looks as they are perturbed.

    Args:
        scene: the package's, in its state.
        lasting: what is in force.
        second_2: where a duplicate is, seen from the agent.
    """
    look = scene.variation_space["agent"]
    radius = float(look["radius"].value.item()) * (1 + lasting.strength("resize"))
    cover = scene._gaussian_dot(scene.agent_position, radius)
    if lasting.strength("duplicate"):
        second = scene._gaussian_dot(scene.agent_position + torch.as_tensor(second_2), radius)
        cover = torch.maximum(cover, second)
    without = scene._render_frame(agent_pos=torch.tensor(NOWHERE))
    picture = scene._alpha_blend(without, cover * (1 - lasting.strength("vanish")), look["color"].value)
    shown: Pixels = np.ascontiguousarray(picture.cpu().numpy().transpose(1, 2, 0))
    return shown
