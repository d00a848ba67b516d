"""The native loader: global batch t is the same whatever the number of workers, and its position is two integers."""

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from jepa.core.clips import Clips
from pipelines.loader.config import THREAD
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.loader import LOADERS, Loader
from pipelines.loader.native.assemble import BatchRow, ClipAssembler
from pipelines.loader.native.buffers import BatchArrays, BatchBuffers, batch_shape, batches_ahead
from pipelines.loader.native.damage_policy import DamagePolicy
from pipelines.loader.native.decode import ChunkDecoder
from pipelines.loader.native.fetch import ChunkFetcher
from pipelines.loader.native.pipeline import Pipeline
from pipelines.loader.native.schedule import EpochSchedule
from pipelines.loader.native.tasks import Task, schedule_tasks
from pipelines.loader.request import ClipRequest


@LOADERS.register("native")
class NativeLoader(Loader):
    """Endless iterator over this worker's part of the global batches, epoch after epoch."""

    def __init__(self, request: ClipRequest) -> None:
        """Opens a split; no frame is read before the first batch.

        Raises:
            InputError: the split has too few clips for one batch, or the batch has fewer clips than there are workers.
        """
        request.check_no_worker_is_idle()
        self._request = request
        self._table = request.dataset.chunk_table(request.split)
        self._fetcher = ChunkFetcher(request.dataset, self._table, request.config)
        decoder = ChunkDecoder(request.dataset, self._table, self._fetcher)
        self._assembler = ClipAssembler(self._table, decoder, request.clip_shape)
        request.check_batch_is_filled(self.clips)
        self._policy = DamagePolicy(self._assembler, skip=request.config.on_damage == "skip")
        # Nothing that the threads use may hold the loader, or it would never be dropped.
        self._schedule = lru_cache(maxsize=2)(partial(_schedule, request, self._assembler.windows))
        self._epoch, self._batch = 0, 0
        self._pipeline: Pipeline | None = None
        self._counters = LoaderCounters()
        self._close: Callable[[], object] = lambda: None

    @property
    def clips(self) -> int:
        """Returns how many different clips the split has."""
        return int(self._assembler.windows.sum())

    def __next__(self) -> Clips:
        if self._pipeline is None:
            self._pipeline = self._start()
        with self._counters.waited():
            (self._epoch, self._batch), clips = self._pipeline.next()
        self._counters.batches += 1
        return clips

    def position(self) -> dict[str, int]:
        """Returns the position of the next batch; `seek` on a loader of any number of workers continues there."""
        return {"epoch": self._epoch, "batch": self._batch}

    def seek(self, position: Mapping[str, int]) -> None:
        """Continues at a position, exactly."""
        self.close()
        self._epoch, self._batch = position["epoch"], position["batch"]

    def batches_per_epoch(self, epoch: int = 0) -> int:
        """Returns the number of full batches of an epoch; clips left over come in another epoch."""
        return self._schedule(epoch).batches

    def first_frames(self) -> list[tuple[int, int]]:
        """Returns (episode, stored frame of the episode) where each clip of this worker's next batch begins."""
        slots, table = self._request.slots, self._table
        windows = self._schedule(self._epoch).batch(self._batch)[slots.start : slots.stop]
        return [(int(table.episode[one.chunk]), int(table.first_frame[one.chunk]) + one.frame) for one in windows]

    def counters(self) -> LoaderCounters:
        total = self._counters.until_now()
        threads = self._pipeline.counters() if self._pipeline is not None else []
        for one in (self._fetcher.counters(), *threads):
            total.add(one)
        total.damaged_chunks = self._policy.damaged_chunks
        return total

    def close(self) -> None:
        if self._pipeline is not None:
            self._close()
            for one in self._pipeline.counters():
                self._counters.add(one)
            self._pipeline = None

    def _start(self) -> Pipeline:
        config, shape = self._request.config, batch_shape(self._request)
        segment = config.windows_per_chunk * config.shuffle_chunks
        depth = batches_ahead(config, shape.pixel_bytes, segment)
        # A slot that may not read a whole segment at once reads half as far as there is memory, or all would wait.
        reach = segment if depth >= segment + 2 else max(1, depth // 2)
        self._fetcher.open()
        try:
            pipeline = Pipeline(
                schedule_tasks(self._schedule, self._request.slots, reach, self._epoch, self._batch),
                partial(_assemble, self._policy),
                BatchBuffers(shape, keep=depth + 2, pin=config.pins_memory()),
                threads=config.thread_count(),
                slots=len(self._request.slots),
                depth=depth,
                prefetch=partial(_prefetch, self._assembler, self._fetcher),
            )
        except BaseException:
            self._fetcher.close()
            raise
        # A loader that is dropped without `close` must not leave its threads behind.
        self._close = weakref.finalize(self, _end, pipeline, self._fetcher)
        return pipeline


def _schedule(request: ClipRequest, windows: NDArray[np.int64], epoch: int) -> EpochSchedule:
    return EpochSchedule(
        windows,
        seed=request.seed,
        epoch=epoch,
        batch_size=request.batch_size,
        windows_per_chunk=request.config.windows_per_chunk,
        shuffle_chunks=request.config.shuffle_chunks,
    )


def _assemble(policy: DamagePolicy, task: Task, batches: Sequence[BatchArrays], counters: LoaderCounters) -> None:
    policy.assemble(task.chunk, task.frames, [BatchRow(batch, task.slot) for batch in batches], counters)


def _prefetch(assembler: ClipAssembler, fetcher: ChunkFetcher, task: Task) -> None:
    for chunk in assembler.chunks_of(task.chunk, task.frames):
        fetcher.prefetch(chunk)


def _end(pipeline: Pipeline, fetcher: ChunkFetcher) -> None:
    # The collector may drop a loader in any thread, and threads of ours may be those that would be waited for.
    wait = not threading.current_thread().name.startswith(THREAD)
    pipeline.close(wait=wait)
    fetcher.close(wait=wait)
