"""The native loader: global batch t is the same whatever the number of workers, and its position is two integers."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

from jepa.core.clips import Clips
from pipelines.loader.checks import check_clip_each, check_enough
from pipelines.loader.config import MEGABYTE, LoaderConfig
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.loader import Loader
from pipelines.loader.native.assemble import BatchArrays, ClipCutter, ClipShape, Place
from pipelines.loader.native.buffers import BatchMemory
from pipelines.loader.native.damage_policy import Damage
from pipelines.loader.native.fetch import ChunkSource
from pipelines.loader.native.pipeline import Pipeline
from pipelines.loader.native.schedule import EpochOrder
from pipelines.loader.native.tasks import Task, plan
from pipelines.loader.open import LOADERS
from pipelines.store.datasets.dataset import Dataset


@LOADERS.register("native")
class ClipLoader(Loader):
    """Endless iterator over this worker's part of the global batches, epoch after epoch."""

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
        """Opens a split; no frame is read before the first batch.

        Args:
            dataset: where the clips come from.
            split: the only split whose clips it will ever return.
            config: how to read.
            history, horizon: frames of a clip before and after its present; T = history + horizon.
            frameskip: K, steps between two frames.
            batch_size: B, clips of the global batch.
            seed: of the order.
            rank, world_size: this worker's number and how many share the batch, to within a clip evenly.

        Raises:
            InputError: the split has too few clips for one batch, or the batch has fewer clips than there are workers.
        """
        check_clip_each(batch_size, world_size)
        self._config = config
        self._seed = seed
        self._batch_size = batch_size
        self._slots = range(rank * batch_size // world_size, (rank + 1) * batch_size // world_size)
        table = dataset.chunk_table(split)
        source = ChunkSource(dataset, table, config)
        self._cutter = ClipCutter(dataset, table, source, ClipShape(history + horizon, frameskip))
        check_enough(dataset, split, int(self._cutter.windows.sum()), self._cutter.shape, batch_size)
        self._damage = Damage(self._cutter, skip=config.on_damage == "skip")
        # Nothing that the threads use may know the loader, or it would never be dropped.
        self._order = lru_cache(maxsize=2)(partial(_make_order, self._cutter, config, seed, batch_size))
        self._epoch, self._batch = 0, 0
        self._pipeline: Pipeline | None = None
        self._counters = LoaderCounters()
        self._close: Callable[[], object] = lambda: None

    def __next__(self) -> Clips:
        if self._pipeline is None:
            self._pipeline = self._start()
        with self._counters.waited():
            (self._epoch, self._batch), clips = self._pipeline.next()
        self._counters.batches += 1
        return clips

    def position(self) -> dict[str, int]:
        """Returns the place of the next batch; `seek` on a loader of any number of workers continues there."""
        return {"epoch": self._epoch, "batch": self._batch}

    def seek(self, position: Mapping[str, int]) -> None:
        """Continues at a position, exactly."""
        self.close()
        self._epoch, self._batch = position["epoch"], position["batch"]

    def batches_per_epoch(self, epoch: int = 0) -> int:
        """Returns the number of full batches of an epoch; clips left over come in another epoch."""
        return self._order(epoch).batches

    def provenance(self) -> list[tuple[int, int]]:
        """Returns (episode, first frame) of each clip of the next batch on this worker."""
        visits = self._order(self._epoch).batch(self._batch)[self._slots.start : self._slots.stop]
        table = self._cutter.table
        return [(int(table.episode[v.chunk]), int(table.first_frame[v.chunk]) + v.window) for v in visits]

    def counters(self) -> LoaderCounters:
        total = self._counters.until_now()
        threads = self._pipeline.counters() if self._pipeline is not None else []
        for one in (self._cutter.source.counters(), *threads):
            total.add(one)
        total.damaged_chunks = self._damage.chunks
        return total

    def close(self) -> None:
        if self._pipeline is not None:
            self._close()
            for one in self._pipeline.counters():
                self._counters.add(one)
            self._pipeline = None

    def _start(self) -> Pipeline:
        cutter, config, clips = self._cutter, self._config, len(self._slots)
        segment = config.windows_per_chunk * config.shuffle_chunks
        depth = batches_in_memory(config, clips * cutter.clip_bytes, segment)
        # A slot that may not read a whole segment at once reads half as far as there is memory, or all would wait.
        span = segment if depth >= segment + 2 else max(1, depth // 2)
        cutter.source.open()
        pipeline = Pipeline(
            plan(self._order, self._slots, span, self._epoch, self._batch),
            partial(_cut, self._damage),
            BatchMemory(cutter, clips, keep=depth + 2, pin=config.pin_memory),
            threads=config.thread_count(),
            slots=clips,
            depth=depth,
            expect=partial(_expect, cutter),
        )
        # A loader that is dropped without `close` must not leave its threads behind.
        self._close = weakref.finalize(self, _end, pipeline, cutter.source)
        return pipeline


def batches_in_memory(config: LoaderConfig, batch_bytes: int, segment: int) -> int:
    """Returns how many batches are filled ahead: as many as the memory allows, of use up to two segments."""
    return max(2, min(config.memory_megabytes * MEGABYTE // batch_bytes, 2 * segment + 4))


def _make_order(cutter: ClipCutter, config: LoaderConfig, seed: int, batch_size: int, epoch: int) -> EpochOrder:
    return EpochOrder(
        cutter.windows,
        seed=seed,
        epoch=epoch,
        batch_size=batch_size,
        windows_per_chunk=config.windows_per_chunk,
        shuffle_chunks=config.shuffle_chunks,
    )


def _cut(damage: Damage, task: Task, batches: Sequence[BatchArrays], counters: LoaderCounters) -> None:
    damage.cut(task.chunk, task.windows, [Place(batch, task.slot) for batch in batches], counters)


def _expect(cutter: ClipCutter, task: Task) -> None:
    for row in cutter.rows(task.chunk, task.windows):
        cutter.source.expect(row)


def _end(pipeline: Pipeline, source: ChunkSource) -> None:
    pipeline.close()
    source.close()
