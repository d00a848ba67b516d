"""Which shards of a split are kept in the cache, and that a cache that cannot be used costs speed alone."""

import errno
from pathlib import Path

import pytest

from infra.errors import InfraError
from pipelines.loader import LoaderConfig
from pipelines.loader.native import cached_split
from pipelines.loader.native.cached_split import CachedSplit
from pipelines.loader.native.shard_cache import ShardCache
from pipelines.store import Dataset


def make_split(dataset: Dataset, folder: Path, *, cache_megabytes: int = 100, away: bool = False) -> CachedSplit:
    def request(shard: int, offset: int, length: int) -> bytes:
        if away:
            raise InfraError("the store is away")
        return shard_bytes(dataset, shard)[offset : offset + length]

    config = LoaderConfig(cache_folder=str(folder), cache_megabytes=cache_megabytes)
    return CachedSplit(dataset, dataset.chunk_table("train"), config, request)


def shard_bytes(dataset: Dataset, shard: int) -> bytes:
    table = dataset.chunk_table("train")
    return dataset.store.read(f"datasets/{dataset.name}/{table.shards[shard]}")


def test_a_shard_that_was_fetched_is_read_from_the_cache(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached_split, "PIECE", 1000)
    split, whole = make_split(dataset, tmp_path), shard_bytes(dataset, 2)
    assert split.size(2) == len(whole) > 1000 and split.keeps(2) and split.read(2, 0, 9) is None
    assert make_split(dataset, tmp_path).fetch(2)  # by whoever shares the folder
    split = make_split(dataset, tmp_path, away=True)
    assert split.fetch(2) and split.read(2, 5, 1500) == whole[5:1505]


def test_the_first_shards_are_kept_where_not_all_fit(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [len(shard_bytes(dataset, shard)) for shard in range(4)]
    monkeypatch.setattr(cached_split, "MEGABYTE", sum(sizes[:3]))
    split = make_split(dataset, tmp_path, cache_megabytes=1)
    assert [split.keeps(shard) for shard in range(5)] == [True, True, True, False, False]
    assert all(split.fetch(shard) for shard in range(3))
    assert sum(path.stat().st_size for path in tmp_path.glob("??/*")) == sum(sizes[:3])


def test_what_cannot_be_fetched_is_read_chunk_by_chunk(dataset: Dataset, tmp_path: Path) -> None:
    split = make_split(dataset, tmp_path, away=True)
    assert not split.fetch(0) and not split.keeps(0) and split.keeps(1)


def test_what_others_evict_is_read_chunk_by_chunk(dataset: Dataset, tmp_path: Path) -> None:
    split = make_split(dataset, tmp_path)
    assert split.fetch(0) and split.fetch(1)
    facts = {facts.path: facts for facts in dataset.manifest.shards}
    ShardCache(tmp_path, 1).drop(facts[dataset.chunk_table("train").shards[0]].sha256)
    assert split.read(0, 0, 9) is None and not split.keeps(0) and split.keeps(1)
    split.drop(1)
    assert not split.keeps(1) and not list(tmp_path.glob("??/*"))


def test_a_full_disk_is_said_once(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipelines.loader.native.shard_cache.os.posix_fallocate", full)
    split = make_split(dataset, tmp_path)
    with pytest.warns(RuntimeWarning, match=r"cannot be written \(No space left on device\)") as warned:
        assert not split.fetch(0) and not split.fetch(1)
    assert len(warned) == 1 and not any(split.keeps(shard) for shard in range(5))
    assert not list(tmp_path.glob("??/*"))


def test_a_cache_folder_that_is_a_file_is_said(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(RuntimeWarning, match=r"cannot be written \(Not a directory\).*set loader.cache_folder"):
        assert not make_split(dataset, tmp_path / "file").fetch(0)
