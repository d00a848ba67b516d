"""How far the latents of a split spread, and how well the next one is predicted.

Shapes: T frames of an episode, N of all of them, D latent.
"""

from dataclasses import dataclass

import numpy as np
import torch

from jepa.core.clips import whole_clip
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel
from jepa.studies.in_memory.episodes import MemoryEpisodes

EPISODES = 40


@dataclass(frozen=True)
class LatentFigures:
    """Figures of the frames of some episodes."""

    spread: float
    """mean over dimensions of the standard deviation over frames; 0 in full collapse"""
    variance: float
    """variance over frames, summed over dimensions"""
    error: float
    """mean squared error of the next latent, predicted from true ones, summed over dimensions"""
    episodes: int

    @property
    def unpredicted(self) -> float | None:
        """Returns error over variance: 1 is that of predicting the mean; None where nothing varies."""
        return self.error / self.variance if self.variance else None


def latent_figures(model: WorldModel, source: MemoryEpisodes, split: str, limit: int = EPISODES) -> LatentFigures:
    """Returns the figures of the first episodes of a split, `limit` at most."""
    frameskip = model.config.frameskip
    latents, errors = [], []
    for episode in source.episodes(split, limit=limit):
        clip = whole_clip(episode, frameskip)
        z_TD = torch.from_numpy(encode_pixels(model, clip.pixels_BTHWC[0].numpy()))
        with torch.inference_mode():
            zhat_TD = model.predict(z_TD[None, :-1], clip.action_BTKA)[0]
        latents.append(z_TD.double().numpy())
        errors.append((zhat_TD - z_TD[1:]).double().square().sum(-1).numpy())
    z_ND, error_N = np.concatenate(latents), np.concatenate(errors)
    return LatentFigures(
        spread=float(z_ND.std(0).mean()),
        variance=float(z_ND.var(0).sum()),
        error=float(error_N.mean()),
        episodes=len(latents),
    )
