"""The same batches from a store that is reached by requests, whatever becomes of the cache, its disk or a request."""

import errno
from pathlib import Path
from typing import Any

import pytest

from infra.errors import InfraError
from infra.storage import open_store
from infra.storage.patience import Patience
from infra.storage.s3_server import S3Server
from jepa.core.clips import Clips
from pipelines.loader import LoaderConfig
from pipelines.loader.native import cached_split
from pipelines.loader.native.native_loader import NativeLoader
from pipelines.loader.native.shard_cache import ShardCache
from pipelines.store import Dataset
from tests.chaos.faulty_s3 import faulty_proxy
from tests.pipelines.loader.loading import all_same, native_loader, take
from tests.pipelines.loader.stores import copied, damage, remote


def cached_loader(dataset: Dataset, cache: Path, **changes: Any) -> NativeLoader:
    return native_loader(dataset, config=LoaderConfig(cache_folder=str(cache), **changes))


@pytest.fixture
def distant(dataset: Dataset) -> Dataset:
    """The dataset, read by requests."""
    return remote(dataset)[0]


@pytest.mark.s3
def test_batches_are_the_same_cold_warm_and_uncached(
    dataset: Dataset, s3: str, tmp_path: Path, expected: list[Clips]
) -> None:
    on_s3 = copied(dataset, open_store(s3))
    cold, warm = cached_loader(on_s3, tmp_path), cached_loader(on_s3, tmp_path)
    for loader in (cold, warm, cached_loader(on_s3, tmp_path / "none", cache_megabytes=0)):
        assert all_same(take(loader, len(expected)), expected)
    shards = {facts.sha256: facts.bytes for facts in on_s3.manifest.shards if facts.split == "train"}
    assert {path.name: path.stat().st_size for path in tmp_path.glob("??/*")} == shards
    assert cold.counters().requests == len(shards) and warm.counters().requests == 0


@pytest.mark.s3
@pytest.mark.slow
def test_a_fifth_of_all_requests_fails(
    dataset: Dataset,
    s3: str,
    s3_server: S3Server,
    tmp_path: Path,
    expected: list[Clips],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_s3 = copied(dataset, open_store(s3))
    monkeypatch.setattr("infra.storage.patience.PATIENT", Patience(read=1))
    with faulty_proxy(s3_server.endpoint, share=0.2, seed=5, silence=2) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        disturbed = Dataset(open_store(on_s3.store.uri), "small")
        for megabytes in (1000, 0):  # whole shards, and every chunk by itself
            batches = take(cached_loader(disturbed, tmp_path, cache_megabytes=megabytes), len(expected))
            assert all_same(batches, expected)
    assert 0.1 < 1 - proxy.seen["fine"] / proxy.seen.total() < 0.3 and proxy.seen.total() > 90


def test_two_jobs_on_one_cache_fetch_each_shard_once(distant: Dataset, tmp_path: Path, expected: list[Clips]) -> None:
    jobs = [cached_loader(distant, tmp_path), cached_loader(distant, tmp_path)]
    batches = [[next(job) for job in jobs] for _ in expected]
    for number, job in enumerate(jobs):
        job.close()
        assert all_same([pair[number] for pair in batches], expected)
    assert sum(job.counters().requests for job in jobs) == len(distant.chunk_table("train").shards)


def test_a_full_cache_disk_only_costs_speed(
    distant: Dataset, tmp_path: Path, expected: list[Clips], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipelines.loader.native.shard_cache.os.posix_fallocate", full)
    with pytest.warns(RuntimeWarning, match=r"cannot be written \(No space left on device\)") as warned:
        assert all_same(take(cached_loader(distant, tmp_path), len(expected)), expected)
    assert len(warned) == 1 and not list(tmp_path.glob("??/*"))


def test_a_cache_too_small_for_the_split_keeps_its_limit(
    distant: Dataset, tmp_path: Path, expected: list[Clips], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [facts.bytes for facts in distant.manifest.shards if facts.split == "train"]
    monkeypatch.setattr(cached_split, "MEGABYTE", sum(sizes[:3]))
    assert all_same(take(cached_loader(distant, tmp_path, cache_megabytes=1), len(expected)), expected)
    assert sum(path.stat().st_size for path in tmp_path.glob("??/*")) == sum(sizes[:3])


def test_what_others_evict_is_read_from_the_store(distant: Dataset, tmp_path: Path, expected: list[Clips]) -> None:
    with cached_loader(distant, tmp_path) as loader:
        batches = [next(loader) for _ in range(5)]
        for facts in distant.manifest.shards:
            ShardCache(tmp_path, 1).drop(facts.sha256)
        batches += [next(loader) for _ in expected[5:]]
    assert all_same(batches, expected)


def test_damage_in_the_store_is_named_through_the_cache(dataset: Dataset, tmp_path: Path) -> None:
    copy = copied(dataset, open_store(str(tmp_path / "store")))
    name = damage(copy, 4)
    with pytest.raises(InfraError, match=name):
        take(cached_loader(remote(copy)[0], tmp_path / "cache"), 45)
    assert len(list((tmp_path / "cache").glob("??/*"))) < len(copy.chunk_table("train").shards)


def test_a_store_that_goes_away_ends_the_iteration(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.loader.native.fetch.FIRST_PAUSE", 0.001)
    distant, store = remote(dataset)
    with cached_loader(distant, tmp_path, cache_megabytes=0, threads=2, memory_megabytes=1) as loader:
        next(loader)
        with store.failing(100_000), pytest.raises(InfraError, match="the store is away"):
            for _ in range(loader.batches_per_epoch()):
                next(loader)
