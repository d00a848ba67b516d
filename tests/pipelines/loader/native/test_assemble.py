"""Clips are assembled as their episodes have them, whatever chunks they reach into, and each chunk is decoded once."""

from pathlib import Path

import numpy as np
import pytest

from infra.storage import open_store
from jepa.core.episodes import Episode
from pipelines.loader import ClipShape, LoaderConfig, LoaderCounters
from pipelines.loader.native.assemble import BatchRow, ClipAssembler
from pipelines.loader.native.buffers import BatchArrays
from pipelines.loader.native.decode import ChunkDecoder
from pipelines.loader.native.fetch import ChunkFetcher
from pipelines.store import Dataset
from pipelines.store.datasets.index import ChunkTable
from tests.pipelines.small_dataset import small_dataset


def make_assembler(dataset: Dataset, shape: ClipShape) -> tuple[ClipAssembler, ChunkTable]:
    table = dataset.chunk_table("train")
    fetcher = ChunkFetcher(dataset, table, LoaderConfig())
    return ClipAssembler(table, ChunkDecoder(dataset, table, fetcher), shape), table


def empty_batch(dataset: Dataset, shape: ClipShape, clips: int) -> BatchArrays:
    """Returns a batch of values that no clip has."""
    quantities = sum(dataset.manifest.quantities.values())
    return BatchArrays(
        pixels=np.full((clips, shape.frames, *dataset.manifest.image_size, 3), 99, np.uint8),
        action=np.full((clips, shape.frames - 1, shape.frameskip, dataset.manifest.action_size), np.nan, np.float32),
        state=np.full((clips, shape.frames, quantities), np.nan, np.float32),
    )


def assert_is_clip(batch: BatchArrays, row: int, shape: ClipShape, episode: Episode, first: int) -> None:
    steps, frameskip = shape.environment_steps, shape.frameskip
    frames = slice(first, first + steps + 1, frameskip)
    assert np.array_equal(batch.pixels[row], episode.pixels[frames])
    assert np.array_equal(batch.action[row].reshape(steps, 2), episode.action[first : first + steps])
    state = np.concatenate([episode.state[name][frames] for name in sorted(episode.state)], axis=1)
    assert np.array_equal(batch.state[row], state)


@pytest.mark.parametrize("format", ["mds", "webdataset"])
@pytest.mark.parametrize("chunk_frames", [5, 12, 31])
def test_clips_are_those_of_the_episodes(tmp_path: Path, format: str, chunk_frames: int) -> None:
    shape = ClipShape(frames=4, frameskip=4)
    dataset = small_dataset(open_store(str(tmp_path)), format=format, chunk_frames=chunk_frames, episodes=12)
    episodes = {episode.index: episode for episode in dataset.episodes("train")}
    assembler, table = make_assembler(dataset, shape)
    seen = set()
    for chunk in np.flatnonzero(assembler.windows).tolist():
        starts = list(range(int(assembler.windows[chunk])))[::-1]
        batch = empty_batch(dataset, shape, len(starts))
        rows = [BatchRow(batch, row) for row in range(len(starts))]
        assembler.assemble(chunk, starts, rows, LoaderCounters())
        for row, start in enumerate(starts):
            index, first = int(table.episode[chunk]), int(table.first_frame[chunk]) + start
            assert_is_clip(batch, row, shape, episodes[index], first)
            seen.add((index, first))
    assert seen == {(index, first) for index in episodes for first in range(31 - shape.environment_steps)}


@pytest.mark.parametrize("shape", [ClipShape(1, 1), ClipShape(2, 1), ClipShape(6, 5)])
def test_clips_of_other_lengths(dataset: Dataset, shape: ClipShape) -> None:
    assembler, table = make_assembler(dataset, shape)
    batch = empty_batch(dataset, shape, 1)
    assembler.assemble(3, [2], [BatchRow(batch, 0)], LoaderCounters())
    episode = next(one for one in dataset.episodes("train") if one.index == int(table.episode[3]))
    assert_is_clip(batch, 0, shape, episode, int(table.first_frame[3]) + 2)


def test_each_chunk_is_decoded_once_for_all_its_clips(dataset: Dataset) -> None:
    shape = ClipShape(frames=4, frameskip=4)
    assembler, _ = make_assembler(dataset, shape)
    batches = [empty_batch(dataset, shape, 3) for _ in range(3)]
    counters = LoaderCounters()
    assembler.assemble(0, [4, 0, 8], [BatchRow(batch, 1) for batch in batches], counters)
    assert counters.clips == 3 and counters.chunks == 2 == len(assembler.chunks_of(0, [4, 0, 8]))
    for batch in batches:  # the other rows are not touched
        assert (batch.pixels[[0, 2]] == 99).all() and np.isnan(batch.action[[0, 2]]).all()
        assert np.isnan(batch.state[[0, 2]]).all() and not np.isnan(batch.state[1]).any()


def test_a_clip_reaches_into_as_many_chunks_as_it_is_long(dataset: Dataset) -> None:
    assembler, table = make_assembler(dataset, ClipShape(frames=3, frameskip=12))
    assert [int(frames) for frames in table.frames[:3]] == [12, 12, 7]
    assert assembler.windows[:3].tolist() == [7, 0, 0]  # of 31 frames, 25 are a clip's
    assert assembler.chunks_of(0, [0]) == [0, 1, 2]
    assert make_assembler(dataset, ClipShape(2, 3))[0].chunks_of(1, [0, 4]) == [1]
    assert make_assembler(dataset, ClipShape(2, 3))[0].windows[:3].tolist() == [12, 12, 4]
