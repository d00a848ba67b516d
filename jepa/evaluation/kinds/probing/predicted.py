"""Latents predicted open loop: from what was seen some action blocks before a frame, and the actions taken since.

Shapes: N frames, k action blocks ahead, L lags, h frames of the model's history, K actions of an action block, A action
dimensions, D latent.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from jepa.evaluation.kinds.probing.frames import Frames
from jepa.models.world_model import WorldModel

Floats = NDArray[np.float32]

VALUES_AT_ONCE = 2**22
"""Values of the contexts that are rolled out at once."""


def reach(frames: Frames, history: int, wanted: int) -> int:
    """Returns how many action blocks ahead frames can be predicted: as many as wanted, fewer where episodes are short.

    It is the most that half of the episodes reach, of those in which anything can be predicted at all.
    """

    def episodes(ahead: int) -> int:
        return len(np.unique(frames.episode_M[frames.lag_NL[frames.reaching(history - 1 + ahead), 0]]))

    able = episodes(1)
    return max((ahead for ahead in range(1, wanted + 1) if able and 2 * episodes(ahead) >= able), default=0)


@torch.inference_mode()
def predicted(model: WorldModel, frames: Frames, chosen_N: NDArray[np.bool_], ahead: int) -> Floats:
    """Returns the latents of some compared frames as predicted `ahead` action blocks before them, (N, D).

    Each prediction feeds the next, from a full history of true frames; 0 blocks ahead are the encoder's own latents.
    """
    if not ahead:
        z_ND: Floats = frames.z_MD[frames.lag_NL[chosen_N, 0]]
        return z_ND
    device, history = next(model.parameters()).device, model.config.history
    context_NH = frames.lag_NL[chosen_N, ahead : ahead + history][:, ::-1]
    action_NLKA = frames.action_NLKA[chosen_N, : ahead + history - 1][:, ::-1]
    at_once = max(1, VALUES_AT_ONCE // (history * frames.z_MD.shape[1]))
    parts = []
    for start in range(0, len(context_NH), at_once):
        z_BTD = torch.from_numpy(frames.z_MD[context_NH[start : start + at_once]]).to(device)
        action_BLKA = torch.from_numpy(action_NLKA[start : start + at_once].copy()).to(device)
        past_BTKA, action_BHKA = action_BLKA[:, : history - 1], action_BLKA[:, history - 1 :]
        parts.append(model.rollout(z_BTD, action_BHKA, past_BTKA)[:, -1].float().cpu().numpy())
    return np.concatenate(parts)
