"""A chunk can be read by its address alone, and damage is named."""

import numpy as np
import pytest

from pipelines.store.datasets.chunk import chunk_bounds
from pipelines.store.formats import FORMATS
from pipelines.store.formats.container import StoredChunk

QUANTITIES = ("door", "agent_position")


def make_chunk(episode: int, frames: int) -> StoredChunk:
    rng = np.random.default_rng(episode)
    return StoredChunk(
        episode=episode,
        first_frame=7,
        frames=frames,
        height=8,
        width=6,
        pixels=rng.bytes(50 + frames),
        action=rng.normal(size=(frames - 1, 2)).astype(np.float32),
        state={name: rng.normal(size=(frames, 3)).astype(np.float32) for name in sorted(QUANTITIES)},
    )


@pytest.mark.parametrize("name", FORMATS.names())
def test_every_chunk_returns_from_its_span(name: str) -> None:
    container = FORMATS.get(name)
    chunks = [make_chunk(episode, frames) for episode, frames in ((3, 5), (4, 2), (123456789012, 9))]
    data, spans = container.pack(chunks, "zst")
    assert container.pack(chunks, "zst") == (data, spans)
    for chunk, span in zip(chunks, spans, strict=True):
        read = container.unpack(data[span.offset : span.offset + span.length], QUANTITIES)
        assert (read.episode, read.first_frame, read.shape) == (chunk.episode, chunk.first_frame, chunk.shape)
        assert read.pixels == chunk.pixels and np.array_equal(read.action, chunk.action)
        assert read.state.keys() == chunk.state.keys()
        assert all(np.array_equal(read.state[key], chunk.state[key]) for key in chunk.state)


@pytest.mark.parametrize("name", FORMATS.names())
@pytest.mark.parametrize("keep", [0, 10, 40, 200, 600])
def test_cut_off_records_are_refused(name: str, keep: int) -> None:
    container = FORMATS.get(name)
    data, (span,) = container.pack([make_chunk(1, 8)], "zst")
    with pytest.raises(ValueError):
        container.unpack(data[span.offset : span.offset + min(keep, span.length - 1)], QUANTITIES)


def test_chunks_cover_an_episode_and_none_lacks_an_action() -> None:
    assert chunk_bounds(65, 65) == [(0, 65)]
    assert chunk_bounds(31, 12) == [(0, 12), (12, 24), (24, 31)]
    assert chunk_bounds(25, 12) == [(0, 12), (12, 25)]
    assert chunk_bounds(1, 12) == [(0, 1)]
