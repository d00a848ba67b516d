"""What the official readers share: chunks come in the reader's order, clips are taken from each, a buffer mixes them.

They read every chunk by itself, so a clip that reaches into the next chunk is never seen. They do not say where they
are: a run that is interrupted can be continued at the start of an epoch only.
"""

import random
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from jepa.core.clips import Clips
from jepa.core.episodes import Actions, Pixels, State
from jepa.core.errors import InputError
from jepa.core.seeds import python_generator
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.loader import Loader
from pipelines.loader.official.prefetch import Prefetcher
from pipelines.loader.request import ClipRequest
from pipelines.store.codecs import CODECS
from pipelines.store.formats.container import StoredChunk

BUFFER_BATCHES = 2
"""Batches of clips that are mixed."""
PREFETCHED_BATCHES = 4


@dataclass(frozen=True)
class _Clip:
    pixels: Pixels
    action: Actions
    state: State


class OfficialLoader(Loader):
    """Batches from a container's official reader; each worker has its own, and batches depend on their number."""

    kind: str
    """registered name"""
    container: str
    """registered name of the container that it reads"""

    def __init__(self, request: ClipRequest) -> None:
        """Opens a split; nothing is read before the first batch.

        Raises:
            InputError: the dataset is in another container, its chunks hold too few clips, or a batch cannot be shared.
        """
        request.check_shares_are_equal()
        dataset = request.dataset
        held = dataset.manifest.plan.format
        if held != self.container:
            raise InputError(
                f"loader.kind {self.kind!r} reads {self.container} shards and dataset {dataset.name!r} is in {held}; "
                f"take `native`, which reads both"
            )
        self.request = request
        self.table = dataset.chunk_table(request.split)
        self._shape = request.clip_shape
        inside = np.clip(self.table.frames - self._shape.reach, 0, None)
        request.check_batch_is_filled(int(inside.sum()))
        self._codec = CODECS.get(dataset.manifest.plan.codec)
        self._counters = LoaderCounters()
        self._epoch, self._batch = 0, 0
        self._prefetcher: Prefetcher[tuple[tuple[int, int], Clips]] | None = None

    @abstractmethod
    def read_chunks(self, epoch: int) -> Iterator[StoredChunk]:
        """Yields this worker's chunks of an epoch in the reader's own order."""

    def __next__(self) -> Clips:
        if self._prefetcher is None:
            self._prefetcher = Prefetcher(lambda: self._run(self._epoch), PREFETCHED_BATCHES)
        with self._counters.waited():
            (self._epoch, self._batch), clips = self._prefetcher.next()
        self._counters.batches += 1
        return clips

    def position(self) -> dict[str, int]:
        """Returns how many batches of which epoch were taken; `seek` takes the start of an epoch alone."""
        return {"epoch": self._epoch, "batch": self._batch}

    def seek(self, position: Mapping[str, int]) -> None:
        if position["batch"]:
            raise InputError(
                f"loader.kind {self.kind!r} cannot continue at batch {position['batch']} of an epoch, for its reader "
                "does not know its place; take `native`, or start the training again under another name"
            )
        self.close()
        self._epoch, self._batch = position["epoch"], 0

    def counters(self) -> LoaderCounters:
        return self._counters.until_now()

    def close(self) -> None:
        if self._prefetcher is not None:
            self._prefetcher.close()
            self._prefetcher = None

    def _run(self, epoch: int) -> Iterator[tuple[tuple[int, int], Clips]]:
        """Yields batches with the position after them; what the buffer holds at an epoch's end goes into the next."""
        request, clips = self.request, len(self.request.slots)
        choice = python_generator(request.seed, "official", epoch, request.rank)
        buffer: list[_Clip] = []
        while True:
            batch, before = 0, self._counters.clips
            for chunk in self.read_chunks(epoch):
                buffer += self._assemble(chunk, choice)
                while len(buffer) >= BUFFER_BATCHES * clips:
                    batch += 1
                    yield (epoch, batch), self._collate(buffer, clips, choice)
            if self._counters.clips == before:
                raise InputError(
                    f"loader.kind {self.kind!r} gives worker {request.rank} of {request.world_size} no chunk that "
                    f"holds a clip of {self._shape.reach + 1} frames; take fewer workers or `native`"
                )
            epoch += 1

    def _assemble(self, chunk: StoredChunk, choice: random.Random) -> list[_Clip]:
        possible = chunk.frames - self._shape.reach
        if possible < 1:
            return []
        with self._counters.stage("decode"):
            pixels = self._codec.decode(chunk.pixels, chunk.shape)
        self._counters.chunks += 1
        starts = choice.sample(range(possible), min(possible, self.request.config.windows_per_chunk))
        self._counters.clips += len(starts)
        with self._counters.stage("assemble"):
            return [self._clip(chunk, pixels, start) for start in starts]

    def _clip(self, chunk: StoredChunk, pixels: Pixels, start: int) -> _Clip:
        shape = self._shape
        action = chunk.action[shape.actions_from(start)].reshape(shape.frames - 1, shape.frameskip, -1)
        state = {name: values[shape.states_from(start)] for name, values in chunk.state.items()}
        return _Clip(pixels[np.array(shape.frames_from(start))], action, state)

    def _collate(self, buffer: list[_Clip], count: int, choice: random.Random) -> Clips:
        taken = [_pop(buffer, choice.randrange(len(buffer))) for _ in range(count)]
        with self._counters.stage("collate"):
            clips = Clips(
                pixels_BTHWC=torch.from_numpy(np.stack([clip.pixels for clip in taken])),
                action_BTKA=torch.from_numpy(np.stack([clip.action for clip in taken])),
                state={
                    name: torch.from_numpy(np.stack([clip.state[name] for clip in taken])) for name in taken[0].state
                },
            )
            return clips.pin_memory() if self.request.config.pins_memory() else clips


def _pop(buffer: list[_Clip], place: int) -> _Clip:
    """Removes a clip from anywhere in the buffer; the last one moves to its place."""
    buffer[place], buffer[-1] = buffer[-1], buffer[place]
    return buffer.pop()
