"""Decodes frames of a chunk, each straight into the row of a batch that it belongs to.

Shapes: n frames of a chunk, R ≥ n states, H × W pixels, A action dimensions, d dimensions of a quantity.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.fetch import ChunkFetcher
from pipelines.store.codecs import CODECS
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.datasets.index import ChunkTable
from pipelines.store.formats import FORMATS


@dataclass(frozen=True)
class ChunkValues:
    """What a chunk holds beside its frames."""

    action: Actions
    """(R, A), or (R-1, A) at the end of an episode, where nothing acts on the last frame"""
    state: NDArray[np.float32]
    """all quantities side by side in the order of their names, (R, Σd)"""


class ChunkDecoder:
    """Decodes the chunks of one split; safe for many threads."""

    def __init__(self, dataset: Dataset, table: ChunkTable, fetcher: ChunkFetcher) -> None:
        """Takes the split, and what fetches the stored bytes of its chunks."""
        manifest = dataset.manifest
        self._frames = table.frames
        self._fetcher = fetcher
        self._image_size = manifest.image_size
        self._quantities = sorted(manifest.quantities)
        self._codec = CODECS.get(manifest.plan.codec)
        self._container = FORMATS.get(manifest.plan.format)
        self._frame_every = manifest.plan.frame_every

    def decode(
        self, chunk: int, frames: Sequence[int], into: Sequence[Pixels], counters: LoaderCounters
    ) -> ChunkValues:
        """Decodes some frames of a chunk, and returns its actions and state.

        Args:
            chunk: its number in the split's chunk table.
            frames: their numbers within the chunk, rising.
            into: an array (H, W, 3) for each.
            counters: where to add what it costs.

        Raises:
            DamagedChunkError: the chunk is not as it was collected, or its shard is gone.
            InfraError: the store does not answer.
        """
        data = self._fetcher.read(chunk, counters)
        with counters.stage("decode"):
            try:
                stored = self._container.unpack(data, self._quantities)
                if stored.shape != (int(self._frames[chunk]), *self._image_size):
                    raise ValueError(f"it holds frames of shape {stored.shape}")
                self._codec.pick(stored.pixels, stored.shape, frames, into)
            except ValueError as error:
                raise self._fetcher.damaged(chunk, f"cannot be decoded ({error})") from error
        counters.chunks += 1
        if not self._quantities:
            return ChunkValues(stored.action, np.empty((stored.frames * self._frame_every, 0), np.float32))
        state = np.concatenate([stored.state[name] for name in self._quantities], axis=1)
        return ChunkValues(stored.action, state)
