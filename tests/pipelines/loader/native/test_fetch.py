"""Stored bytes are read once they are wanted, checked once, asked for again where a request fails, and named if bad."""

import pickle
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import open_store
from pipelines.loader import LoaderConfig, LoaderCounters
from pipelines.loader.native import fetch
from pipelines.loader.native.fetch import ChunkFetcher, DamagedChunkError
from pipelines.store import Dataset
from tests.pipelines.loader.stores import copied, damage, remote

CHUNKS = range(0, 24)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "FIRST_PAUSE", 0.001)


def make_fetcher(dataset: Dataset, cache: Path, *, cache_megabytes: int = 100) -> ChunkFetcher:
    config = LoaderConfig(cache_folder=str(cache), cache_megabytes=cache_megabytes)
    return ChunkFetcher(dataset, dataset.chunk_table("train"), config)


def stored(dataset: Dataset, chunk: int) -> bytes:
    """Returns a chunk's bytes by the store's own way."""
    table = dataset.chunk_table("train")
    span = int(table.offset[chunk]), int(table.length[chunk])
    return dataset.store.read_range(dataset.shard_path(table, chunk), *span)


@pytest.mark.parametrize("cache_megabytes", [100, 0], ids=["shards through the cache", "every chunk by itself"])
@pytest.mark.parametrize("ahead", [True, False], ids=["prefetched", "not prefetched"])
def test_a_remote_chunk_is_what_the_store_holds(
    dataset: Dataset, tmp_path: Path, cache_megabytes: int, ahead: bool
) -> None:
    distant, store = remote(dataset)
    fetcher, counters = make_fetcher(distant, tmp_path, cache_megabytes=cache_megabytes), LoaderCounters()
    fetcher.open()
    if ahead:
        for chunk in CHUNKS:
            fetcher.prefetch(chunk)
            fetcher.prefetch(chunk)  # twice costs nothing more
    assert [fetcher.read(chunk, counters) for chunk in CHUNKS] == [stored(dataset, chunk) for chunk in CHUNKS]
    fetcher.close()
    shards = {int(dataset.chunk_table("train").shard[chunk]) for chunk in CHUNKS}
    assert store.requests == fetcher.counters().requests == (len(shards) if cache_megabytes else len(CHUNKS))
    assert counters.fetched_bytes == sum(len(stored(dataset, chunk)) for chunk in CHUNKS)
    assert fetcher.counters().cpu_seconds["fetch"] > 0 or not (ahead or cache_megabytes)


def test_prefetching_takes_no_more_memory_than_it_may(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "PREFETCH_BYTES", sum(len(stored(dataset, chunk)) for chunk in range(4)))
    distant, store = remote(dataset)
    fetcher = make_fetcher(distant, tmp_path, cache_megabytes=0)
    fetcher.open()
    for chunk in range(9):
        fetcher.prefetch(chunk)
    assert 4 <= len(fetcher._chunks) < 9
    for chunk in range(2):
        assert fetcher.read(chunk, LoaderCounters()) == stored(dataset, chunk)
    assert fetcher._chunks.keys() & {0, 1, 9} == set()
    fetcher.prefetch(9)  # in the room of those that were read
    assert 9 in fetcher._chunks
    fetcher.close()
    assert store.requests < 10


def test_a_local_folder_is_read_without_requests(dataset: Dataset, tmp_path: Path) -> None:
    fetcher = make_fetcher(dataset, tmp_path / "cache")
    fetcher.open()
    fetcher.prefetch(3)
    assert fetcher.read(3, LoaderCounters()) == stored(dataset, 3)
    assert fetcher.counters().requests == 0 and not (tmp_path / "cache").exists()


def test_bytes_are_checked_when_they_are_first_read(dataset: Dataset, tmp_path: Path) -> None:
    copy = copied(dataset, open_store(str(tmp_path)))
    fetcher = make_fetcher(copy, tmp_path)
    whole = fetcher.read(4, LoaderCounters())
    name = damage(copy, 4)
    assert fetcher.read(4, LoaderCounters()) != whole  # checked before, so not again
    with pytest.raises(DamagedChunkError, match=f"{name} from frame .* is damaged; `jepa verify small`") as raised:
        make_fetcher(copy, tmp_path).read(4, LoaderCounters())
    assert raised.value.chunk == 4


def test_an_error_that_names_a_chunk_travels_between_processes(dataset: Dataset, tmp_path: Path) -> None:
    error = make_fetcher(dataset, tmp_path).damaged(7, "is damaged")
    there = pickle.loads(pickle.dumps(error))
    assert str(there) == str(error) and there.chunk == 7


def test_a_shard_that_is_gone_or_short_is_named(dataset: Dataset, tmp_path: Path) -> None:
    copy = copied(dataset, open_store(str(tmp_path)))
    path = copy.shard_path(copy.chunk_table("train"), 0)
    whole = copy.store.read(path)
    copy.store.delete(path)
    for one in (copy, remote(copy)[0]):
        with pytest.raises(DamagedChunkError, match=r"shard-000000.mds: .* is gone: its shard is not in the store"):
            make_fetcher(one, tmp_path / "cache", cache_megabytes=0).read(0, LoaderCounters())
    copy.store.write(path, whole[:20])
    with pytest.raises(DamagedChunkError, match="is damaged: its shard ends before it"):
        make_fetcher(remote(copy)[0], tmp_path / "cache", cache_megabytes=0).read(0, LoaderCounters())


def test_a_request_that_fails_is_repeated_but_not_for_ever(dataset: Dataset, tmp_path: Path) -> None:
    distant, store = remote(dataset)
    fetcher = make_fetcher(distant, tmp_path, cache_megabytes=0)
    with store.failing(fetch.ATTEMPTS - 1):
        assert fetcher.read(0, LoaderCounters()) == stored(dataset, 0)
    assert store.requests == fetch.ATTEMPTS and fetcher.counters().requests == 1
    with store.failing(fetch.ATTEMPTS), pytest.raises(InfraError, match="the store is away"):
        fetcher.read(1, LoaderCounters())


def test_the_cache_copy_that_rots_is_fetched_again(dataset: Dataset, tmp_path: Path) -> None:
    distant, _ = remote(dataset)
    for rotten in (False, True):
        if rotten:
            for path in tmp_path.glob("??/*"):
                path.write_bytes(bytes(path.stat().st_size))
        fetcher = make_fetcher(distant, tmp_path)
        fetcher.open()
        assert [fetcher.read(chunk, LoaderCounters()) for chunk in CHUNKS] == [stored(dataset, c) for c in CHUNKS]
        fetcher.close()
    assert all(any(path.read_bytes()) for path in tmp_path.glob("??/*"))  # no rotten copy is left


def test_a_large_shard_is_not_waited_for(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LARGE_SHARD", 0)
    distant, store = remote(dataset)
    fetcher = make_fetcher(distant, tmp_path)
    fetcher.open()
    assert fetcher.read(0, LoaderCounters()) == stored(dataset, 0)
    fetcher.close()
    assert store.requests == 2  # the chunk alone, and the shard for later
