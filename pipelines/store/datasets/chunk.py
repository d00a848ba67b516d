"""The unit that is stored, addressed, fetched and decoded: consecutive frames of one episode.

Where only every N-th step has a frame, a chunk of n frames has the actions and states of N·n steps, the last one of an
episode those up to its end. `chunk_rows` alone knows which.
Shapes: n frames of the chunk, R ≥ n states, H × W pixels, A action dimensions, d dimensions of a quantity.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Episode, Pixels, State
from pipelines.store.codecs import Codec
from pipelines.store.formats import StoredChunk


@dataclass(frozen=True)
class ChunkArrays:
    """A decoded chunk: pixels uint8 (n, H, W, 3), action float32 (R or R-1, A), state float32 (R, d) by quantity."""

    episode: int
    first_frame: int
    pixels: Pixels
    action: Actions
    state: State


def chunk_bounds(frames: int, chunk_frames: int) -> list[tuple[int, int]]:
    """Returns (first, end) of the chunks of an episode; a single frame left over joins the chunk before it.

    A chunk of the last frame alone would hold no action, and containers cannot store an empty array.
    """
    starts = list(range(0, frames, chunk_frames))
    if len(starts) > 1 and frames - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], frames], strict=True))


def cut_episode(episode: Episode, chunk_frames: int, codec: Codec) -> Iterator[StoredChunk]:
    """Yields the encoded chunks of an episode in order."""
    frames, height, width, _ = episode.pixels.shape
    for first, end in chunk_bounds(frames, chunk_frames):
        rows = chunk_rows(first, None if end == frames else end, episode.frame_every)
        yield StoredChunk(
            episode=episode.index,
            first_frame=first,
            frames=end - first,
            height=height,
            width=width,
            pixels=codec.encode(episode.pixels[first:end]),
            action=_rows(episode.action, rows),
            state={name: _rows(values, rows) for name, values in sorted(episode.state.items())},
        )


def chunk_rows(first: int, end: int | None, frame_every: int) -> slice:
    """Returns the steps of an episode whose actions and states lie beside the frames [first, end); no end is its own.

    Counted from a chunk's first frame instead of the episode's, they are rows of the chunk's own arrays.
    """
    return slice(first * frame_every, None if end is None else end * frame_every)


def decode_chunk(stored: StoredChunk, codec: Codec, into: Pixels | None = None) -> ChunkArrays:
    """Returns the chunk with its frames decoded, into `into` if it is given.

    Raises:
        ValueError: the encoded frames are damaged.
    """
    pixels = codec.decode(stored.pixels, stored.shape, into)
    return ChunkArrays(stored.episode, stored.first_frame, pixels, stored.action, stored.state)


def _rows(array: NDArray[np.float32], rows: slice) -> NDArray[np.float32]:
    return np.ascontiguousarray(array[rows], dtype=np.float32)
