"""Latents that the model imagines of recorded actions: what a search compares lies where these do, and not elsewhere.

Shapes: B rows, K actions in an action block, A action dimensions, D latent.
"""

import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.head import HeadConfig


class ImaginedConfig(HeadConfig):
    """How many of the latents that a head learns from are imagined."""

    imagined: float = Field(0.5, ge=0, le=1)
    """share of the latents that are imagined, from the frame so many action blocks before them"""
    horizon: PositiveInt = 5
    """most action blocks that are imagined"""

    def draw_lead(self, data: LatentEpisodes, frameskip: int, generator: torch.Generator) -> int:
        """Returns over how many environment steps a batch is imagined: 0 where no episode has room for a block."""
        blocks = min(self.horizon, (data.longest - data.frame_every) // frameskip)
        if not blocks or not self.imagined:
            return 0
        return frameskip * int(torch.randint(1, blocks + 1, (1,), generator=generator))


def seen_or_imagined(data: LatentEpisodes, model: WorldModel, row_B: Tensor, lead: int, share: float) -> Tensor:
    """Returns the latents (B, D) of rows, the first `share` of them imagined from the frames `lead` steps before.

    What is imagined carries no gradient; what is seen has that of the data.

    Args:
        data: whole episodes; every row has `lead` steps of its episode before it.
        model: frozen.
        row_B: rows of `data`.
        lead: environment steps, a multiple of the frameskip; with 0 nothing is imagined.
        share: of the rows, from 0 to 1.
    """
    count = round(len(row_B) * share) if lead else 0
    if not count:
        return data.z_ND[row_B]
    before_B = row_B[:count] - lead
    done_BHKA = data.blocks(before_B, lead).unflatten(1, (-1, model.config.frameskip))
    with torch.no_grad():
        imagined_BD = model.rollout(data.z_ND[before_B][:, None], done_BHKA)[:, -1]
    return torch.cat([imagined_BD.float(), data.z_ND[row_B[count:]]])
