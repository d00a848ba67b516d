"""The frames that probing looks at: each is encoded once, with the frames before it that windows and rollouts need.

Drawn frames are the same as those of `encode_split`. Some of them are *compared*: of these the frames 1, 2, … action
blocks before are encoded too, so that they can be predicted from there, or read together with what came before.
Shapes: M encoded frames, N drawn or compared ones, L + 1 lags in action blocks (0: the frame itself), H × W pixels, K
actions of an action block, A action dimensions, D latent, P values of a shrunken frame.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode, EpisodeSource, Pixels, State
from jepa.core.errors import InputError
from jepa.evaluation.kinds.probing.baselines import shrunken
from jepa.evaluation.latents import drawn_frames
from jepa.models.encoding import BATCH_BYTES, encode_pixels
from jepa.models.world_model import WorldModel

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Amount:
    """How many frames of a split are looked at."""

    drawn: int
    compared: int
    lags: int
    """L, action blocks before a compared frame; an episode with fewer has fewer"""


@dataclass(frozen=True)
class Frames:
    """The encoded frames of a split, and which of them are drawn and compared."""

    z_MD: Floats
    state: State
    """of the encoded frames, (M, d) by quantity"""
    episode_M: Indices
    row_M: Indices
    drawn_N: Indices
    """places of drawn frames among the encoded ones"""
    lag_NL: Indices
    """places of each compared frame and of those before it, -1 where an episode is too short for such a lag"""
    action_NLKA: Floats
    """the action blocks that led to each compared frame, the latest first; 0 where there is none"""
    untrained_ND: Floats | None
    """latents of compared frames by the untrained encoder"""
    pixels_NP: Floats | None
    """shrunken compared frames"""

    def reaching(self, lags: int) -> NDArray[np.bool_]:
        """Returns which compared frames have so many action blocks before them."""
        return self.lag_NL[:, lags] >= 0 if lags < self.lag_NL.shape[1] else np.zeros(len(self.lag_NL), dtype=bool)

    def state_at(self, place_N: Indices) -> State:
        """Returns the states at some of the encoded frames."""
        return {name: value[place_N] for name, value in self.state.items()}

    def window(self, places_NF: Indices) -> Floats:
        """Returns the latents of several frames side by side, the earliest first, (N, F·D)."""
        return self.z_MD[places_NF].reshape(len(places_NF), -1)


@dataclass
class _Found:
    """What has been gathered so far."""

    state: list[State] = field(default_factory=list)
    episode: list[Indices] = field(default_factory=list)
    row: list[Indices] = field(default_factory=list)
    drawn: list[Indices] = field(default_factory=list)
    lag: list[Indices] = field(default_factory=list)
    action: list[Floats] = field(default_factory=list)
    count: int = 0


def gather(
    model: WorldModel,
    source: EpisodeSource,
    split: str,
    amount: Amount,
    seed: int,
    untrained: WorldModel | None = None,
) -> Frames:
    """Returns the frames of a split.

    Args:
        model: that encodes them.
        source: the episodes.
        split: of them.
        amount: how many.
        seed: of the draw.
        untrained: the baseline that encodes compared frames, too; without it their pixels are not kept either.

    Raises:
        InputError: the split holds no episodes, or the latents are not finite.
    """
    found, encoded = _Found(), _Encoded(model, untrained)
    count = min(source.count(split), amount.drawn)
    frameskip = model.config.frameskip
    for number, (episode, row_n) in enumerate(drawn_frames(source, split, amount.drawn, seed)):
        quota = amount.compared * (number + 1) // count - amount.compared * number // count
        encoded.add(*_episode(found, episode, row_n, quota, amount.lags, frameskip))
    encoded.finish()
    z_MD = np.concatenate(encoded.z)
    if not np.isfinite(z_MD).all():
        raise InputError(
            f"the latents that the model makes of {split!r} frames are not finite, so that nothing can be read from "
            "them; choose another model, or train this one again"
        )
    return Frames(
        z_MD=z_MD,
        state={name: np.concatenate([state[name] for state in found.state]) for name in found.state[0]},
        episode_M=np.concatenate(found.episode),
        row_M=np.concatenate(found.row),
        drawn_N=np.concatenate(found.drawn),
        lag_NL=np.concatenate(found.lag),
        action_NLKA=np.concatenate(found.action),
        untrained_ND=np.concatenate(encoded.untrained_z) if encoded.untrained_z else None,
        pixels_NP=np.concatenate(encoded.small) if encoded.small else None,
    )


def _episode(
    found: _Found, episode: Episode, drawn_n: Indices, quota: int, lags: int, frameskip: int
) -> tuple[Pixels, NDArray[np.bool_]]:
    """Files an episode's frames, and returns those to encode and which of them are compared."""
    own = min(lags, episode.steps // frameskip)
    before_l = frameskip * np.arange(own + 1)
    candidates = drawn_n[drawn_n >= own * frameskip]
    # Those that need the fewest more frames to be encoded; which were drawn is chance.
    missing_n = (~np.isin(candidates[:, None] - before_l, drawn_n)).sum(1)
    compared_n = np.sort(candidates[np.argsort(missing_n, kind="stable")[:quota]])
    lag_nl = compared_n[:, None] - before_l
    rows = np.union1d(drawn_n, lag_nl)
    place_nl = np.full((len(compared_n), lags + 1), -1)
    place_nl[:, : own + 1] = found.count + np.searchsorted(rows, lag_nl)
    taken = (lag_nl[:, 1:, None] + np.arange(frameskip)).astype(np.int64)
    action_nlKA = np.zeros((len(compared_n), lags, frameskip, episode.action.shape[1]), np.float32)
    action_nlKA[:, :own] = episode.action[taken]
    found.state.append({name: value[rows] for name, value in episode.state.items()})
    found.episode.append(np.full(len(rows), episode.index))
    found.row.append(rows)
    found.drawn.append(found.count + np.searchsorted(rows, drawn_n))
    found.lag.append(place_nl)
    found.action.append(action_nlKA)
    found.count += len(rows)
    return episode.frames_at(rows), np.isin(rows, compared_n)


class _Encoded:
    """Encodes frames as they come, in full batches."""

    def __init__(self, model: WorldModel, untrained: WorldModel | None) -> None:
        self.model, self.untrained = model, untrained
        self.z: list[Floats] = []
        self.untrained_z: list[Floats] = []
        self.small: list[Floats] = []
        self._waiting: list[Pixels] = []
        self._compared: list[Pixels] = []

    def add(self, pixels: Pixels, compared: NDArray[np.bool_]) -> None:
        """Takes the frames of one episode."""
        self._waiting.append(pixels)
        if self.untrained is not None:
            self._compared.append(pixels[compared])
        self._encode(BATCH_BYTES)

    def finish(self) -> None:
        """Encodes the frames of the last batch, which is not full."""
        self._encode(1)

    def _encode(self, least: int) -> None:
        if sum(one.nbytes for one in self._waiting) >= least:
            self.z.append(encode_pixels(self.model, np.concatenate(self._waiting)))
            self._waiting = []
        if self.untrained is not None and sum(one.nbytes for one in self._compared) >= least:
            pixels = np.concatenate(self._compared)
            self.untrained_z.append(encode_pixels(self.untrained, pixels))
            self.small.append(shrunken(pixels))
            self._compared = []
