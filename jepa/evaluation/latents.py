"""Frames of a split turned into latents, each frame once and few at a time.

Shapes: N frames, T frames of an episode, H × W pixels, D latent dimensions, d dimensions of a quantity.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode, EpisodeSource, Pixels, State
from jepa.core.errors import InputError
from jepa.core.seeds import numpy_generator
from jepa.models.encoding import encode_pixels, in_batches
from jepa.models.world_model import WorldModel


@dataclass(frozen=True)
class LatentFrames:
    """Latents (N, D) with the state (N, d) that their frames show, and where the frames come from."""

    z_ND: NDArray[np.float32]
    state: State
    episode_N: NDArray[np.int64]
    row_N: NDArray[np.int64]


def drawn_frames(
    source: EpisodeSource, split: str, max_frames: int, seed: int
) -> Iterator[tuple[Episode, NDArray[np.int64]]]:
    """Yields episodes and rows with a frame, up to `max_frames` in all, as many of each, drawn without replacement.

    Raises:
        InputError: the split holds no episodes.
    """
    count = source.count(split)
    if not count:
        raise InputError(f"dataset has no {split!r} episodes; collect more episodes or give that split a larger share")
    rows_each = max(1, max_frames // count)
    for episode in source.episodes(split, limit=max_frames):
        rng = numpy_generator(seed, "frames", episode.index)
        steps = episode.drawn_steps
        yield episode, steps[np.sort(rng.choice(len(steps), size=min(rows_each, len(steps)), replace=False))]


def encode_split(model: WorldModel, source: EpisodeSource, split: str, max_frames: int, seed: int) -> LatentFrames:
    """Returns the latents of up to `max_frames` frames of `drawn_frames`.

    Raises:
        InputError: the split holds no episodes.
    """
    states: list[State] = []
    episodes, rows = [], []

    def pixels() -> Iterator[Pixels]:
        for episode, row_n in drawn_frames(source, split, max_frames, seed):
            states.append({name: value[row_n] for name, value in episode.state.items()})
            episodes.append(np.full(len(row_n), episode.index))
            rows.append(row_n)
            yield episode.frames_at(row_n)

    return LatentFrames(
        z_ND=np.concatenate([encode_pixels(model, batch) for batch in in_batches(pixels())]),
        state={name: np.concatenate([state[name] for state in states]) for name in states[0]},
        episode_N=np.concatenate(episodes),
        row_N=np.concatenate(rows),
    )
