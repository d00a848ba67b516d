"""Damaged chunks stop the loader by name, or are skipped: counted, warned of once, replaced alike on every worker."""

import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from infra.errors import InfraError
from infra.storage import open_store
from jepa.core.clips import Clips
from pipelines.loader import LoaderConfig, LoaderCounters
from pipelines.loader.native.assemble import BatchRow, ClipAssembler
from pipelines.loader.native.buffers import BatchArrays
from pipelines.loader.native.damage_policy import DamagePolicy
from pipelines.loader.native.fetch import DamagedChunkError
from pipelines.loader.native.native_loader import NativeLoader
from pipelines.store import Dataset
from tests.pipelines.loader.loading import BATCH, all_same, native_loader, part, same, take
from tests.pipelines.loader.stores import copied, damage

SKIP = LoaderConfig(on_damage="skip")


class Recorder(ClipAssembler):
    """Notes what it assembles, and fails where a clip reaches into a damaged chunk: clips of two chunks each."""

    def __init__(self, windows: Sequence[int], damaged: set[int]) -> None:
        self.windows = np.array(windows)
        self.damaged = damaged
        self.assembled: dict[int, tuple[int, int]] = {}
        """(chunk, frame) by row"""
        self.tried: list[int] = []

    def chunks_of(self, chunk: int, frames: Sequence[int]) -> list[int]:
        return [chunk, chunk + 1]

    def assemble(self, chunk: int, frames: Sequence[int], rows: Sequence[BatchRow], counters: LoaderCounters) -> None:
        self.tried.append(chunk)
        for one in self.chunks_of(chunk, frames):
            if one in self.damaged:
                raise DamagedChunkError(f"chunk {one} is damaged", one)
        for frame, row in zip(frames, rows, strict=True):
            self.assembled[row.row] = chunk, frame


def rows(*numbers: int) -> list[BatchRow]:
    empty = np.empty(0, np.float32)
    return [BatchRow(BatchArrays(empty.astype(np.uint8), empty, empty), number) for number in numbers]


def test_a_sound_chunk_is_assembled_at_once() -> None:
    recorder = Recorder([4, 4, 4], set())
    DamagePolicy(recorder, skip=True).assemble(0, [1, 3], rows(7, 8), LoaderCounters())
    assert recorder.assembled == {7: (0, 1), 8: (0, 3)} and recorder.tried == [0]


def test_to_stop_raises_what_names_the_chunk() -> None:
    policy = DamagePolicy(Recorder([4, 4, 4], {1}), skip=False)
    for _ in range(2):
        with pytest.raises(DamagedChunkError, match="chunk 1 is damaged"):
            policy.assemble(0, [1], rows(0), LoaderCounters())
    assert policy.damaged_chunks == 0  # nothing was skipped


def test_to_skip_takes_clips_of_the_next_usable_chunk() -> None:
    recorder, counters = Recorder([4, 4, 0, 3, 4], {1}), LoaderCounters()
    policy = DamagePolicy(recorder, skip=True)
    with pytest.warns(RuntimeWarning, match="skipped: chunk 1 is damaged") as warned:
        policy.assemble(0, [1, 3], rows(0, 1), counters)  # reaches into chunk 1
        policy.assemble(1, [2], rows(2), counters)
        policy.assemble(0, [2], rows(3), counters)
    assert recorder.assembled == {0: (3, 1), 1: (3, 0), 2: (3, 2), 3: (3, 2)}
    assert len(warned) == 1 and policy.damaged_chunks == 1 and counters.replaced_clips == 4
    assert recorder.tried == [0, 3, 3, 3, 3]  # what is known to be damaged is not read again


def test_the_last_chunk_is_followed_by_the_first() -> None:
    recorder = Recorder([4, 4, 4], {3})
    with pytest.warns(RuntimeWarning, match="skipped"):
        DamagePolicy(recorder, skip=True).assemble(2, [1], rows(0), LoaderCounters())
    assert recorder.assembled == {0: (0, 1)}


def test_if_nothing_is_left_skipping_ends() -> None:
    policy = DamagePolicy(Recorder([4, 4, 4], {0, 1, 2, 3}), skip=True)
    with pytest.warns(RuntimeWarning), pytest.raises(DamagedChunkError, match="is damaged"):
        policy.assemble(1, [0], rows(0), LoaderCounters())


def quietly(loader: NativeLoader, count: int) -> list[Clips]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return take(loader, count)


def test_a_loader_stops_at_a_damaged_chunk_by_name(dataset: Dataset, tmp_path: Path) -> None:
    copy = copied(dataset, open_store(str(tmp_path)))
    name = damage(copy, 4)
    with native_loader(copy) as loader:
        for _ in range(2):
            with pytest.raises(InfraError, match=name):
                for _ in range(loader.batches_per_epoch()):
                    next(loader)


def test_a_loader_that_skips_gives_every_worker_the_same(
    dataset: Dataset, tmp_path: Path, expected: list[Clips]
) -> None:
    copy = copied(dataset, open_store(str(tmp_path)))
    name = damage(copy, 4)
    with native_loader(copy, config=SKIP) as loader, pytest.warns(RuntimeWarning, match=f"skipped: {name}") as warned:
        batches = [next(loader) for _ in expected]
        counters = loader.counters()
    assert len(warned) == 1 and counters.damaged_chunks == 1
    # Episodes have three chunks, and clips of 13 frames that begin in the first one reach into the second.
    changed = sum(
        not same(part(ours, row, row + 1), part(theirs, row, row + 1))
        for ours, theirs in zip(batches, expected, strict=True)
        for row in range(BATCH)
    )
    epochs = math.ceil(counters.clips / (BATCH * loader.batches_per_epoch()))  # it reads ahead, also into another one
    frames = int(copy.chunk_table("train").frames[4])
    assert 0 < changed <= counters.replaced_clips <= epochs * 2 * frames
    for rank in range(2):
        theirs = quietly(native_loader(copy, config=SKIP, rank=rank, world_size=2), len(expected))
        assert all_same(theirs, [part(whole, 6 * rank, 6 * rank + 6) for whole in batches])
    small = LoaderConfig(on_damage="skip", memory_megabytes=1, threads=1)
    assert all_same(quietly(native_loader(copy, config=small), 20), batches[:20])


def test_a_shard_that_disappears_is_named_or_skipped(dataset: Dataset, tmp_path: Path) -> None:
    copy = copied(dataset, open_store(str(tmp_path)))
    with native_loader(copy) as loader:
        next(loader)
        copy.store.delete(copy.shard_path(copy.chunk_table("train"), 40))
        with pytest.raises(InfraError, match=r"shard-\d+.mds: the chunk of episode .* is gone: its shard is not in"):
            for _ in range(loader.batches_per_epoch()):
                next(loader)
    counted = native_loader(copy, config=SKIP)
    assert len(quietly(counted, 45)) == 45
    # The first chunk of each of its four episodes, and those that were looked at alone.
    assert 4 <= counted.counters().damaged_chunks <= 12
