"""What can happen to the package's Two-Room that its dynamics do not explain: as in our own, at its own scale."""

from typing import Any

import numpy as np
import torch

from jepa.core.episodes import Pixels
from jepa.worlds.perturbations import (
    STEPS_WAY,
    Lasting,
    duplicate,
    ignore_action,
    pass_through,
    recolour,
    resize,
    reverse,
    teleport,
    vanish,
)

WAYS = (0.5, 1.0, 2.0, 3.0, 5.0, 13.0)
NOWHERE = (-1e4, -1e4)

PERTURBATIONS = (
    teleport(
        STEPS_WAY, WAYS, 13.0, "the agent is at a free place so far away; in full, anywhere at least 65 pixels away"
    ),
    recolour("the agent", "hue"),
    resize("the agent looks larger by that part, and is held by walls as before", "the radius"),
    vanish("the agent"),
    duplicate("agent that does as the first one does, so far from it", STEPS_WAY, WAYS, 13.0),
    pass_through(
        STEPS_WAY,
        (1.0, 2.0, 3.0, 5.0, 7.0),
        "an agent near the wall is so far beyond where the wall stops it; from 6 on, on its other side",
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
