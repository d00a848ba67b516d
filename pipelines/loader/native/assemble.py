"""Assembles clips from a dataset's chunks, straight in the batches that they belong to.

Shapes: T frames of a clip, K actions in an action block (the frameskip), n frames of a chunk.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Pixels
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.buffers import BatchArrays
from pipelines.loader.native.decode import ChunkDecoder, ChunkValues
from pipelines.loader.request import ClipShape
from pipelines.store.datasets.index import ChunkTable


@dataclass(frozen=True)
class BatchRow:
    """Where a clip goes."""

    batch: BatchArrays
    row: int


class ClipAssembler:
    """Copies clips of one split into batches; safe for many threads."""

    def __init__(self, table: ChunkTable, decoder: ChunkDecoder, shape: ClipShape) -> None:
        """Takes the chunks of the split, what decodes them, and how long a clip is."""
        self.windows = count_windows(table, shape)
        """how many clips begin in each chunk, (number of chunks,)"""
        self._table = table
        self._decoder = decoder
        self._shape = shape

    def chunks_of(self, chunk: int, frames: Sequence[int]) -> list[int]:
        """Returns the chunks that clips reach into: first the one in which they begin, at these frames of it."""
        last = int(self._table.first_frame[chunk]) + max(frames) + self._shape.reach
        chunks = [chunk]
        while int(self._table.first_frame[chunk] + self._table.frames[chunk]) <= last:
            chunk += 1
            chunks.append(chunk)
        return chunks

    def assemble(self, chunk: int, frames: Sequence[int], rows: Sequence[BatchRow], counters: LoaderCounters) -> None:
        """Copies the clips that begin at these frames of a chunk to their rows; each chunk is decoded once.

        Raises:
            DamagedChunkError: a chunk is not as it was collected, or its shard is gone.
            InfraError: the store does not answer.
        """
        wanted: dict[int, list[Pixels]] = {}
        for start, to in zip(frames, rows, strict=True):
            for number, frame in enumerate(self._shape.frames_from(start)):
                wanted.setdefault(frame, []).append(to.batch.pixels[to.row, number])
        values = self._decode(self.chunks_of(chunk, frames), wanted, counters)
        with counters.stage("assemble"):
            for first, *others in wanted.values():
                for other in others:
                    other[:] = first
        with counters.stage("collate"):
            for start, to in zip(frames, rows, strict=True):
                action = values.action[self._shape.actions_from(start)]
                to.batch.action[to.row] = action.reshape(to.batch.action.shape[1:])
                to.batch.state[to.row] = values.state[self._shape.states_from(start)]
        counters.clips += len(frames)

    def _decode(
        self, chunks: Sequence[int], wanted: Mapping[int, list[Pixels]], counters: LoaderCounters
    ) -> ChunkValues:
        """Decodes each wanted frame, counted from the first chunk's first, to the first place that wants it."""
        parts, first, order = [], 0, sorted(wanted)
        for chunk in chunks:
            end = first + int(self._table.frames[chunk])
            here = order[bisect_left(order, first) : bisect_left(order, end)]
            into = [wanted[frame][0] for frame in here]
            parts.append(self._decoder.decode(chunk, [frame - first for frame in here], into, counters))
            first = end
        if len(parts) == 1:
            return parts[0]
        state = np.concatenate([part.state for part in parts])
        return ChunkValues(np.concatenate([part.action for part in parts]), state)


def count_windows(table: ChunkTable, shape: ClipShape) -> NDArray[np.int64]:
    """Returns how many clips begin in each chunk; a clip may end in a later chunk, but not after its episode."""
    possible = table.episode_frames - shape.reach - table.first_frame
    return np.clip(possible, 0, table.frames)
