"""Cuts clips from a dataset's chunks, straight into the batches that they belong to.

Shapes: B clips of a batch, T frames of a clip, K actions of a block (the frameskip), H × W pixels, A action dimensions,
d dimensions of a quantity.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.fetch import ChunkSource
from pipelines.store.codecs import CODECS
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.datasets.index import ChunkTable
from pipelines.store.formats import FORMATS


@dataclass(frozen=True)
class ClipShape:
    """How long a clip is."""

    frames: int
    """T"""
    frameskip: int
    """K"""

    @property
    def steps(self) -> int:
        """Returns the steps from the first to the last frame, (T-1)·K."""
        return (self.frames - 1) * self.frameskip


@dataclass(frozen=True)
class BatchArrays:
    """A batch while it is filled: pixels uint8 (B, T, H, W, 3), action float32 (B, T-1, K, A).

    All quantities lie side by side in `state`, float32 (B, T, Σd), so that a clip's state is one copy.
    """

    pixels: Pixels
    action: Actions
    state: NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """Where a clip goes: a row of a batch."""

    batch: BatchArrays
    row: int


@dataclass(frozen=True)
class _Facts:
    """What is known of the frames of a chunk and of those after it that its clips reach into."""

    action: Actions
    state: NDArray[np.float32]
    """all quantities side by side, (n, Σd)"""


class ClipCutter:
    """Reads and decodes the chunks of one split and cuts clips from them; safe for many threads."""

    def __init__(self, dataset: Dataset, table: ChunkTable, source: ChunkSource, shape: ClipShape) -> None:
        self.table = table
        self.shape = shape
        self.source = source
        self.image_size: tuple[int, int] = dataset.manifest.image_size
        self.action_size: int = dataset.manifest.action_size
        self.quantities: dict[str, int] = dict(sorted(dataset.manifest.quantities.items()))
        self._codec = CODECS.get(dataset.manifest.plan.codec)
        self._container = FORMATS.get(dataset.manifest.plan.format)

    @cached_property
    def windows(self) -> NDArray[np.int64]:
        """Returns how many clips begin in each chunk; a clip may end in a later chunk, but not after its episode."""
        return windows_of(self.table, self.shape)

    @property
    def clip_bytes(self) -> int:
        """Returns the size of a clip's pixels."""
        return self.shape.frames * 3 * self.image_size[0] * self.image_size[1]

    def rows(self, chunk: int, windows: Sequence[int]) -> list[int]:
        """Returns the chunks that clips reach into: the one that they begin in first."""
        last = int(self.table.first_frame[chunk]) + max(windows) + self.shape.steps
        rows, row = [chunk], chunk
        while int(self.table.first_frame[row] + self.table.frames[row]) <= last:
            row += 1
            rows.append(row)
        return rows

    def cut(self, chunk: int, windows: Sequence[int], places: Sequence[Place], counters: LoaderCounters) -> None:
        """Copies the clips that begin at these frames of a chunk to their places; each chunk is decoded once.

        Raises:
            DamagedChunkError: a chunk is not as it was collected, or its shard is gone.
            InfraError: the store does not answer.
        """
        steps, skip = self.shape.steps, self.shape.frameskip
        wanted: dict[int, list[Pixels]] = {}
        for start, place in zip(windows, places, strict=True):
            for number, frame in enumerate(range(start, start + steps + 1, skip)):
                wanted.setdefault(frame, []).append(place.batch.pixels[place.row, number])
        facts = self._read(chunk, windows, wanted, counters)
        with counters.stage("cut"):
            for first, *others in wanted.values():
                for other in others:
                    other[:] = first
        with counters.stage("collate"):
            for start, place in zip(windows, places, strict=True):
                action = facts.action[start : start + steps]
                place.batch.action[place.row] = action.reshape(place.batch.action.shape[1:])
                place.batch.state[place.row] = facts.state[start : start + steps + 1 : skip]
        counters.clips += len(windows)

    def _read(
        self, chunk: int, windows: Sequence[int], wanted: Mapping[int, list[Pixels]], counters: LoaderCounters
    ) -> _Facts:
        """Decodes each wanted frame to the first place that wants it."""
        parts, first, order = [], 0, sorted(wanted)
        for row in self.rows(chunk, windows):
            end = first + int(self.table.frames[row])
            here = order[bisect_left(order, first) : bisect_left(order, end)]
            places = [wanted[frame][0] for frame in here]
            parts.append(self._decode(row, [frame - first for frame in here], places, counters))
            first = end
        if len(parts) == 1:
            return parts[0]
        state = np.concatenate([part.state for part in parts])
        return _Facts(np.concatenate([part.action for part in parts]), state)

    def _decode(self, row: int, frames: list[int], places: list[Pixels], counters: LoaderCounters) -> _Facts:
        record = self.source.read(row, counters)
        with counters.stage("decode"):
            try:
                stored = self._container.unpack(record, list(self.quantities))
                if stored.shape != (int(self.table.frames[row]), *self.image_size):
                    raise ValueError(f"it holds frames of shape {stored.shape}")
                self._codec.pick(stored.pixels, stored.shape, frames, places)
            except ValueError as error:
                raise self.source.damage(row, f"cannot be decoded ({error})") from error
        counters.chunks += 1
        none: NDArray[np.float32] = np.empty((stored.frames, 0), np.float32)
        return _Facts(stored.action, np.concatenate([none, *map(stored.state.get, self.quantities)], axis=1))


def windows_of(table: ChunkTable, shape: ClipShape) -> NDArray[np.int64]:
    """Returns how many clips begin in each chunk of a table."""
    possible = table.episode_frames - shape.steps - table.first_frame
    return np.clip(possible, 0, table.frames)
