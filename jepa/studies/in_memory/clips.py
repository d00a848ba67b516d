"""Batches of clips of episodes held in memory: every window of an epoch once, in an order that the seed decides.

Shapes: B clips, T frames K steps apart, A action dimensions, N frames of all episodes, W windows.
"""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.episodes import EpisodeSource, check_frameskip, frame_every_of
from jepa.core.errors import InputError
from jepa.core.seeds import numpy_generator


class ClipSampler:
    """Clips of a split, as a loader of a stored dataset gives them: raw actions in blocks of K, states beside frames.

    A batch is a pure function of the episodes, the sizes, the seed and its number.
    """

    def __init__(
        self, source: EpisodeSource, frames: int, frameskip: int, batch_size: int, seed: int, split: str = "train"
    ) -> None:
        """Lays the episodes' frames end to end.

        Args:
            source: where the episodes are.
            frames: T, the model's history and the frames beyond it.
            frameskip: K.
            batch_size: B.
            seed: of the order of clips.
            split: whose clips are returned.

        Raises:
            InputError: the split has fewer clips than a batch, or no frames so many steps apart.
        """
        every = frame_every_of(source)
        check_frameskip(frameskip, every)
        held = list(source.episodes(split))
        span = (frames - 1) * frameskip
        # Steps and frames are laid out apart, for only every N-th step may have a frame.
        firsts = np.cumsum([0, *(one.steps + 1 for one in held)])
        first_frames = np.cumsum([0, *(len(one.drawn_steps) for one in held)])
        places = [np.arange(0, max(0, one.steps - span + 1), every) for one in held]
        starts = [first + place for first, place in zip(firsts[:-1], places, strict=True)]
        frames_W = [first + place // every for first, place in zip(first_frames[:-1], places, strict=True)]
        self._start_W = np.concatenate(starts) if starts else np.empty(0, np.int64)
        self._frame_W = np.concatenate(frames_W) if frames_W else np.empty(0, np.int64)
        self.batch_size, self._seed = batch_size, seed
        if len(self._start_W) < batch_size:
            raise InputError(
                f"split {split!r} has {len(self._start_W)} clips of {span + 1} frames, too few for one batch of "
                f"{batch_size}; collect more or longer episodes, or take a smaller batch_size, horizon or frameskip"
            )
        self._row_T, self._step_X = np.arange(frames) * frameskip, np.arange(span)
        self._frame_T = np.arange(frames) * (frameskip // every)
        self._blocks = (frames - 1, frameskip)
        self._pixels = torch.from_numpy(np.concatenate([one.pixels for one in held]))
        # An episode has one action fewer than frames: a row of zeros keeps both at the same places, and no clip has it.
        self._action_NA = torch.from_numpy(
            np.concatenate([np.pad(one.action, ((0, 1), (0, 0))).astype(np.float32) for one in held])
        )
        self._state = {
            name: torch.from_numpy(np.concatenate([one.state[name] for one in held])) for name in held[0].state
        }
        self._order = lru_cache(maxsize=1)(self._order_of)

    @property
    def batches(self) -> int:
        """Returns the full batches of an epoch."""
        return len(self._start_W) // self.batch_size

    def batch(self, number: int) -> Clips:
        """Returns a batch by its number over all epochs, from 0."""
        epoch, place = divmod(number, self.batches)
        window_B = self._order(epoch)[place * self.batch_size : (place + 1) * self.batch_size]
        start_B, frame_BT = self._start_W[window_B], self._frame_W[window_B][:, None] + self._frame_T
        row_BT = torch.from_numpy(start_B[:, None] + self._row_T)
        action_BXA = self._action_NA[torch.from_numpy(start_B[:, None] + self._step_X)]
        state: dict[str, Tensor] = {name: value[row_BT] for name, value in self._state.items()}
        return Clips(self._pixels[torch.from_numpy(frame_BT)], action_BXA.unflatten(1, self._blocks), state)

    def _order_of(self, epoch: int) -> NDArray[np.int64]:
        return numpy_generator(self._seed, "clips", epoch).permutation(len(self._start_W))
