"""Decoding puts the wanted frames where they belong, and names the chunk that cannot be decoded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.storage import open_store
from jepa.core.episodes import Episode
from pipelines.loader import LoaderConfig, LoaderCounters
from pipelines.loader.native.decode import ChunkDecoder
from pipelines.loader.native.fetch import ChunkFetcher, DamagedChunkError
from pipelines.store import Dataset
from pipelines.store.datasets.index import ChunkTable
from tests.pipelines.small_dataset import small_dataset


def make_decoder(dataset: Dataset) -> tuple[ChunkDecoder, ChunkTable]:
    table = dataset.chunk_table("train")
    return ChunkDecoder(dataset, table, ChunkFetcher(dataset, table, LoaderConfig())), table


@pytest.mark.parametrize("codec", ["zstd", "raw", "jpeg"])
def test_wanted_frames_are_those_of_the_episode(tmp_path: Path, codec: str) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), codec=codec, episodes=8)
    episodes: dict[int, Episode] = {episode.index: episode for episode in dataset.episodes("train")}
    decoder, table = make_decoder(dataset)
    counters = LoaderCounters()
    for chunk in range(len(table)):
        frames = [0, 3, int(table.frames[chunk]) - 1]
        into = [np.empty((32, 32, 3), np.uint8) for _ in frames]
        values = decoder.decode(chunk, frames, into, counters)
        episode, first = episodes[int(table.episode[chunk])], int(table.first_frame[chunk])
        end = first + int(table.frames[chunk])
        assert all(
            np.array_equal(found, episode.pixels[first + frame]) for found, frame in zip(into, frames, strict=True)
        )
        assert np.array_equal(values.action, episode.action[first:end])
        state = np.concatenate([episode.state[name][first:end] for name in sorted(episode.state)], axis=1)
        assert np.array_equal(values.state, state)
    assert counters.chunks == len(table) and counters.cpu_seconds["decode"] > 0


def test_a_sound_chunk_of_another_shape_is_named(dataset: Dataset) -> None:
    table = dataset.chunk_table("train")
    decoder = ChunkDecoder(dataset, table, ChunkFetcher(dataset, table, LoaderConfig()))
    decoder._image_size = (32, 33)
    with pytest.raises(
        DamagedChunkError, match=r"episode \d+ from frame 12 cannot be decoded \(it holds frames of shape"
    ):
        decoder.decode(1, [0], [np.empty((32, 33, 3), np.uint8)], LoaderCounters())


def test_bytes_that_no_codec_understands_are_named(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, _ = make_decoder(dataset)

    def short(self: ChunkFetcher, chunk: int, counters: Any) -> bytes:
        return b"not a chunk"

    monkeypatch.setattr(ChunkFetcher, "read", short)
    with pytest.raises(DamagedChunkError, match="cannot be decoded") as raised:
        decoder.decode(2, [0], [np.empty((32, 32, 3), np.uint8)], LoaderCounters())
    assert raised.value.chunk == 2
