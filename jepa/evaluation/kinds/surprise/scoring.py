"""How surprising frames are: the error of their prediction, and how that compares with what is usual.

Surprise at frame t, k blocks ahead, is the mean over latent dimensions of (ẑ_t - z_t)², where ẑ_t is predicted from the
true frames up to t - k and the actions since, open loop (LeWorldModel, arXiv:2603.19312, section 6, for k = 1).
Shapes: N episodes of equal length, T frames an action block apart, K actions in an action block (the frameskip), A
action dimensions, D latent; P contexts; F of the frames; E episodes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa.core.episodes import Actions, Pixels
from jepa.core.errors import InputError
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel

Floats = NDArray[np.float64]
RAW, NORMALISED = "raw", "normalised"
FEWEST_USUAL = 3
"""Episodes that show what is usual at a frame; where there are fewer, all frames together do."""
LEAST_SPREAD = 1e-3
LEAST_SURPRISE = float(np.finfo(np.float32).tiny)
DECIMALS = 6


class Measure(NamedTuple):
    """Which surprise: how many blocks ahead a frame was predicted, and whether it is compared with what is usual."""

    score: str
    blocks_ahead: int


ONE_STEP = Measure(RAW, 1)


def latents(model: WorldModel, pixels_NTHWC: Pixels) -> Tensor:
    """Returns the latents (N, T, D) of frames, on the CPU.

    Raises:
        InputError: some are not finite.
    """
    z_ND = encode_pixels(model, pixels_NTHWC.reshape(-1, *pixels_NTHWC.shape[2:]))
    return finite(torch.from_numpy(z_ND), "encodes").view(*pixels_NTHWC.shape[:2], -1)


def finite(values: Tensor, does: str) -> Tensor:
    """Returns latents that are all finite.

    Raises:
        InputError: some are not.
    """
    if not values.isfinite().all():
        raise InputError(
            f"latents that the model {does} are not finite, so that no surprise can be measured; choose another model, "
            "or leave out the evaluation 'surprise'"
        )
    return values


@torch.inference_mode()
def predictions(model: WorldModel, z_NTD: Tensor, action_NTKA: Actions, blocks_ahead: int = 1) -> Tensor:
    """Returns the predicted latents (N, T-k, D) of frames k … T-1, each from the true frames up to k before it.

    Args:
        model: the model.
        z_NTD: latents of consecutive frames.
        action_NTKA: the T-1 action blocks between them.
        blocks_ahead: k, less than T.

    Raises:
        InputError: some are not finite.
    """
    device = next(model.parameters()).device
    z_NTD, action = z_NTD.to(device), torch.from_numpy(action_NTKA).to(device)
    if blocks_ahead == 1:
        return finite(model.predict(z_NTD[:, :-1], action).cpu(), "predicts")
    contexts, history = z_NTD.shape[1] - blocks_ahead, model.config.history
    alike = max(contexts - history + 1, 0)  # contexts with a full history, which are rolled out together
    ends = range(contexts - alike)
    parts = [_ahead(model, z_NTD[:, : end + 1], action[:, :end], action[:, end : end + blocks_ahead]) for end in ends]
    parts = [part[:, None] for part in parts]
    if alike:
        first = range(alike)
        context = torch.cat([z_NTD[:, at : at + history] for at in first])
        past = torch.cat([action[:, at : at + history - 1] for at in first])
        to_come = torch.cat([action[:, at + history - 1 : at + history - 1 + blocks_ahead] for at in first])
        parts.append(_ahead(model, context, past, to_come).unflatten(0, (alike, len(z_NTD))).transpose(0, 1))
    return finite(torch.cat(parts, dim=1).cpu(), "predicts")


def _ahead(model: WorldModel, context_PTD: Tensor, past_PTKA: Tensor, action_PHKA: Tensor) -> Tensor:
    """Returns the latents (P, D) after all of the actions."""
    return model.rollout(context_PTD, action_PHKA, past_PTKA)[:, -1]


def squared_error(predicted: Tensor, true: Tensor) -> Floats:
    """Returns the mean squared difference over the last axis, float64."""
    error: Floats = (predicted - true).double().square().mean(-1).numpy()
    return error


def surprises(model: WorldModel, z_NTD: Tensor, action_NTKA: Actions, blocks_ahead: int = 1) -> Floats:
    """Returns the surprise (N, T-1) of frames 1 … T-1; NaN of those that lie fewer than k blocks from the start."""
    episodes, frames = z_NTD.shape[:2]
    found = np.full((episodes, frames - 1), np.nan)
    if blocks_ahead < frames:
        predicted = predictions(model, z_NTD, action_NTKA, blocks_ahead)
        found[:, blocks_ahead - 1 :] = squared_error(predicted, z_NTD[:, blocks_ahead:])
    return found


class Usual:
    """Mean and standard deviation, over untouched episodes, of the logarithm of surprise at each frame.

    A surprise s at frame t is normalised to (log s - mean_t) / sd_t: surprise is never negative and has a long tail,
    so that its logarithm is what is nearly normal.
    """

    def __init__(self, surprise_EF: Sequence[Floats]) -> None:
        """Takes the surprise of each episode's frames 1 … T-1, NaN where there is none; lengths may differ."""
        longest = max(len(one) for one in surprise_EF)
        padded = [np.pad(one, (0, longest - len(one)), constant_values=np.nan) for one in surprise_EF]
        self._log_EF = _log(np.stack(padded))
        held = self._log_EF[np.isfinite(self._log_EF)]
        self._all = (float(held.mean()), float(held.std())) if len(held) else (0.0, 1.0)
        self._sums = _sums(self._log_EF)
        mean_F, spread_F = self._usual(*self._sums, FEWEST_USUAL)
        self._mean_F, self._spread_F = np.append(mean_F, self._all[0]), np.append(spread_F, self._all[1])

    def normalised(self, surprise: Floats, first: int = 0) -> Floats:
        """Returns surprises (..., F) of frames `first` + 1 … normalised."""
        frames = range(first, first + surprise.shape[-1])
        known = np.minimum(frames, len(self._mean_F) - 1)  # the last entry is what all frames together show
        return _scaled(_log(surprise), self._mean_F[known], self._spread_F[known])

    def of_themselves(self) -> Floats:
        """Returns the given episodes' surprises normalised (E, F), each by what is usual in the others."""
        log_EF = np.nan_to_num(self._log_EF)
        count_F, total_F, squares_F = self._sums
        rest = count_F - np.isfinite(self._log_EF), total_F - log_EF, squares_F - log_EF**2
        return _scaled(self._log_EF, *self._usual(*rest, FEWEST_USUAL - 1))

    def _usual(self, count: Floats, total: Floats, squares: Floats, fewest: int) -> tuple[Floats, Floats]:
        """Returns mean and standard deviation; those of all frames where there are fewer episodes than that."""
        n = np.maximum(count, 1)
        spread = np.sqrt(np.maximum(squares / n - (total / n) ** 2, 0))
        return np.where(count >= fewest, total / n, self._all[0]), np.where(count >= fewest, spread, self._all[1])


def _scaled(log: Floats, mean: Floats, spread: Floats) -> Floats:
    # Where all surprises are alike they differ by rounding alone, which must raise no alarm.
    return np.asarray(((log - mean) / np.maximum(spread, LEAST_SPREAD)).round(DECIMALS))


def _log(surprise: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(surprise, LEAST_SURPRISE)))


def _sums(log_EF: Floats) -> tuple[Floats, Floats, Floats]:
    held = np.nan_to_num(log_EF)
    return np.isfinite(log_EF).sum(0).astype(np.float64), held.sum(0), (held**2).sum(0)
