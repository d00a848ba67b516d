"""What the containers' own readers share: samples come in their order, clips are cut from each, a buffer mixes them.

They read a chunk alone, so a clip that goes on into the next chunk is never seen. Their place cannot be told: a run
that is interrupted can be continued at the start of an epoch only.
"""

import os
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
from pipelines.loader.checks import check_enough, check_shares
from pipelines.loader.config import LoaderConfig
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.loader import Loader
from pipelines.loader.native.assemble import ClipShape
from pipelines.loader.official.prefetch import Prefetcher
from pipelines.store.codecs import CODECS
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.formats.container import StoredChunk

BUFFER_BATCHES = 2
"""Batches of clips that are mixed."""
PREFETCH = 4


@dataclass(frozen=True)
class _Clip:
    pixels: Pixels
    action: Actions
    state: State


class OfficialLoader(Loader):
    """Batches from a reader that is not ours; each worker has its own, and the global batch depends on their number."""

    kind: str
    """registered name"""
    container: str
    """registered name of the container that it reads"""

    def __init__(
        self,
        dataset: Dataset,
        split: str,
        config: LoaderConfig,
        *,
        history: int,
        horizon: int,
        frameskip: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """Takes what `ClipLoader` takes.

        Raises:
            InputError: the dataset is in another container, its chunks hold too few clips, or a batch cannot be shared.
        """
        check_shares(batch_size, world_size)
        held = dataset.manifest.plan.format
        if held != self.container:
            raise InputError(
                f"loader.kind {self.kind!r} reads {self.container} shards and dataset {dataset.name!r} is in {held}; "
                f"take `native`, which reads both"
            )
        self._table = dataset.chunk_table(split)
        self._shape = ClipShape(history + horizon, frameskip)
        inside = np.clip(self._table.frames - self._shape.steps, 0, None)
        check_enough(dataset, split, int(inside.sum()), self._shape, batch_size)
        self._dataset, self._split, self._config, self._seed = dataset, split, config, seed
        self._rank, self._world_size, self._clips = rank, world_size, batch_size // world_size
        self._codec = CODECS.get(dataset.manifest.plan.codec)
        self._counters = LoaderCounters()
        self._epoch, self._batch = 0, 0
        self._prefetcher: Prefetcher[tuple[tuple[int, int], Clips]] | None = None

    @abstractmethod
    def samples(self, epoch: int) -> Iterator[StoredChunk]:
        """Yields this worker's chunks of an epoch in the reader's own order."""

    def __next__(self) -> Clips:
        if self._prefetcher is None:
            self._prefetcher = Prefetcher(lambda: self._run(self._epoch), PREFETCH)
        with self._counters.waited():
            (self._epoch, self._batch), clips = self._prefetcher.next()
        self._counters.batches += 1
        return clips

    def position(self) -> dict[str, int]:
        """Returns how many batches of which epoch were taken; only an epoch's start can be sought."""
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
        choice = python_generator(self._seed, "official", epoch, self._rank)
        buffer: list[_Clip] = []
        while True:
            batch = 0
            for chunk in self.samples(epoch):
                buffer += self._cut(chunk, choice)
                while len(buffer) >= BUFFER_BATCHES * self._clips:
                    batch += 1
                    yield (epoch, batch), self._collate(buffer, choice)
            epoch += 1

    def _cut(self, chunk: StoredChunk, choice: random.Random) -> list[_Clip]:
        possible = chunk.frames - self._shape.steps
        if possible < 1:
            return []
        with self._counters.stage("decode"):
            pixels = self._codec.decode(chunk.pixels, chunk.shape)
        self._counters.chunks += 1
        starts = choice.sample(range(possible), min(possible, self._config.windows_per_chunk))
        self._counters.clips += len(starts)
        with self._counters.stage("cut"):
            return [self._clip(chunk, pixels, start) for start in starts]

    def _clip(self, chunk: StoredChunk, pixels: Pixels, start: int) -> _Clip:
        steps, skip = self._shape.steps, self._shape.frameskip
        frames = slice(start, start + steps + 1, skip)
        action = chunk.action[start : start + steps].reshape(self._shape.frames - 1, skip, -1)
        return _Clip(pixels[frames].copy(), action, {name: values[frames] for name, values in chunk.state.items()})

    def _collate(self, buffer: list[_Clip], choice: random.Random) -> Clips:
        taken = [_pop(buffer, choice.randrange(len(buffer))) for _ in range(self._clips)]
        with self._counters.stage("collate"):
            return Clips(
                pixels_BTHWC=torch.from_numpy(np.stack([clip.pixels for clip in taken])),
                action_BTKA=torch.from_numpy(np.stack([clip.action for clip in taken])),
                state={
                    name: torch.from_numpy(np.stack([clip.state[name] for clip in taken])) for name in taken[0].state
                },
            )


def check_launched(kind: str, rank: int, world_size: int) -> None:
    """Passes where the variables by which a reader finds its rank say the same as we do.

    Raises:
        InputError: they do not, and each worker would read everything.
    """
    found = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if found != (rank, world_size):
        raise InputError(
            f"loader.kind {kind!r} reads RANK and WORLD_SIZE, which say {found[0]} of {found[1]} and not {rank} of "
            f"{world_size}; launch the workers by torchrun or Ray Train, or take `native`"
        )


def _pop(buffer: list[_Clip], place: int) -> _Clip:
    """Removes a clip from anywhere in the buffer, at the cost of its last one."""
    buffer[place], buffer[-1] = buffer[-1], buffer[place]
    return buffer.pop()
