"""What goes wrong around the loader: damage, disappearance, a store that fails, a cache disk that is full."""

import errno
import math
import warnings
from pathlib import Path
from typing import Any

import pytest

from infra.errors import InfraError
from infra.s3_server import S3Server
from infra.storage import Store, open_store
from jepa.core.clips import Clips
from pipelines.loader import ClipLoader, LoaderConfig
from pipelines.loader.native.shard_cache import ShardCache
from pipelines.store import Dataset
from tests.chaos.faulty_s3 import faulty_proxy
from tests.pipelines.loader.test_loader import make_loader, part, same, take
from tests.pipelines.small_dataset import small_dataset


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """An undisturbed dataset that nobody writes to."""
    return small_dataset(open_store(str(tmp_path_factory.mktemp("whole"))))


@pytest.fixture(scope="module")
def expected(whole: Dataset) -> list[Clips]:
    """The batches of an epoch, and three more."""
    return take(make_loader(whole), make_loader(whole).batches_per_epoch() + 3)


def copied(dataset: Dataset, store: Store) -> Dataset:
    """Returns a copy of the dataset in another store."""
    for path in dataset.store.list("datasets/"):
        store.write(path, dataset.store.read(path))
    return Dataset(store, dataset.name)


def damage(dataset: Dataset, row: int) -> str:
    """Flips a bit of a chunk of the train split and returns what names it."""
    table = dataset.chunk_table("train")
    path = dataset.shard_path(table, row)
    data = bytearray(dataset.store.read(path))
    data[int(table.offset[row]) + 60] ^= 1
    dataset.store.write(path, bytes(data))
    return f"dataset 'small', {table.shards[table.shard[row]]}: the chunk of episode {table.episode[row]}"


def quietly(loader: ClipLoader, count: int) -> list[Clips]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return take(loader, count)


def test_a_damaged_chunk_stops_the_loader_by_name(tmp_path: Path, whole: Dataset) -> None:
    dataset = copied(whole, open_store(str(tmp_path)))
    name = damage(dataset, 4)
    with make_loader(dataset) as loader:
        for _ in range(2):
            with pytest.raises(InfraError, match=name):
                for _ in range(loader.batches_per_epoch()):
                    next(loader)


def test_a_damaged_chunk_may_be_skipped_and_is_counted(tmp_path: Path, whole: Dataset, expected: list[Clips]) -> None:
    dataset = copied(whole, open_store(str(tmp_path)))
    name = damage(dataset, 4)
    config = LoaderConfig(on_damage="skip")
    with make_loader(dataset, config=config) as loader, pytest.warns(RuntimeWarning, match=f"skipped: {name}") as told:
        batches = [next(loader) for _ in expected]
        counters = loader.counters()
    assert len(told) == 1 and counters.damaged_chunks == 1
    # Episodes have three chunks, and clips of 13 frames that begin in the first one reach into the second.
    table = dataset.chunk_table("train")
    changed = sum(
        not same(part(ours, row, row + 1), part(theirs, row, row + 1))
        for ours, theirs in zip(batches, expected, strict=True)
        for row in range(12)
    )
    epochs = math.ceil(counters.clips / (12 * loader.batches_per_epoch()))  # it reads ahead, also into another one
    assert 0 < changed <= counters.replaced_clips <= epochs * 2 * int(table.frames[4])
    for rank in range(2):
        theirs = quietly(make_loader(dataset, config=config, rank=rank, world_size=2), len(expected))
        assert all(same(one, part(all_of, 6 * rank, 6 * rank + 6)) for one, all_of in zip(theirs, batches, strict=True))
    small = LoaderConfig(on_damage="skip", memory_megabytes=1, threads=1)
    assert all(same(*pair) for pair in zip(quietly(make_loader(dataset, config=small), 20), batches, strict=False))


def test_if_nothing_is_left_skipping_ends(tmp_path: Path, whole: Dataset) -> None:
    dataset = copied(whole, open_store(str(tmp_path)))
    for path in {dataset.shard_path(dataset.chunk_table("train"), row) for row in range(90)}:
        dataset.store.delete(path)
    with pytest.raises(InfraError, match="its shard is not in the store"):
        quietly(make_loader(dataset, config=LoaderConfig(on_damage="skip")), 1)


def test_a_shard_that_disappears_is_named(tmp_path: Path, whole: Dataset) -> None:
    dataset = copied(whole, open_store(str(tmp_path)))
    with make_loader(dataset) as loader:
        next(loader)
        gone = dataset.shard_path(dataset.chunk_table("train"), 40)
        dataset.store.delete(gone)
        with pytest.raises(InfraError, match=r"shard-\d+.mds: the chunk of episode .* is gone: its shard is not in"):
            for _ in range(loader.batches_per_epoch()):
                next(loader)
    counted = make_loader(dataset, config=LoaderConfig(on_damage="skip"))
    assert len(quietly(counted, 45)) == 45
    # The first chunk of each of its four episodes, and those that were looked at alone.
    assert 4 <= counted.counters().damaged_chunks <= 12


@pytest.mark.s3
class TestOnS3:
    """The dataset on the embedded server, shards through a cache of the test's own."""

    @pytest.fixture
    def dataset(self, s3: str, whole: Dataset) -> Dataset:
        return copied(whole, open_store(s3))

    def loader(self, dataset: Dataset, cache: Path, **changes: Any) -> ClipLoader:
        return make_loader(dataset, config=LoaderConfig(cache_folder=str(cache), **changes))

    def test_batches_are_the_same_cold_warm_and_uncached(
        self, dataset: Dataset, tmp_path: Path, expected: list[Clips]
    ) -> None:
        cold, warm = self.loader(dataset, tmp_path), self.loader(dataset, tmp_path)
        for loader in (cold, warm, self.loader(dataset, tmp_path / "none", cache_megabytes=0)):
            assert all(same(*pair) for pair in zip(take(loader, len(expected)), expected, strict=True))
        shards = {facts.sha256: facts.bytes for facts in dataset.manifest.shards if facts.split == "train"}
        held = {path.name: path.stat().st_size for path in tmp_path.glob("??/*")}
        assert held == shards
        assert cold.counters().requests == len(shards) and warm.counters().requests == 0

    def test_two_jobs_on_one_cache_fetch_each_shard_once(
        self, dataset: Dataset, tmp_path: Path, expected: list[Clips]
    ) -> None:
        jobs = [self.loader(dataset, tmp_path), self.loader(dataset, tmp_path)]
        batches = [[next(job) for job in jobs] for _ in expected]
        for job in jobs:
            job.close()
        assert all(same(one, theirs) for pair, theirs in zip(batches, expected, strict=True) for one in pair)
        assert sum(job.counters().requests for job in jobs) == len(dataset.chunk_table("train").shards)

    def test_a_fifth_of_all_requests_fails(
        self,
        dataset: Dataset,
        s3_server: S3Server,
        tmp_path: Path,
        expected: list[Clips],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("infra.storage.s3.READ_SECONDS", 1)
        with faulty_proxy(s3_server.endpoint, share=0.2, seed=5, silence=2) as proxy:
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
            disturbed = Dataset(open_store(dataset.store.uri), "small")
            for megabytes in (1000, 0):  # whole shards, and every chunk by itself
                batches = take(self.loader(disturbed, tmp_path, cache_megabytes=megabytes), len(expected))
                assert all(same(*pair) for pair in zip(batches, expected, strict=True))
        assert 0.1 < 1 - proxy.seen["fine"] / proxy.seen.total() < 0.3 and proxy.seen.total() > 90

    def test_a_full_cache_disk_only_costs_speed(
        self, dataset: Dataset, tmp_path: Path, expected: list[Clips], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("pipelines.loader.native.shard_cache.os.posix_fallocate", full)
        with pytest.warns(RuntimeWarning, match=r"cannot be written \(No space left on device\)") as told:
            batches = take(self.loader(dataset, tmp_path), len(expected))
        assert len(told) == 1
        assert all(same(*pair) for pair in zip(batches, expected, strict=True))
        assert not list(tmp_path.glob("??/*"))

    def test_a_cache_folder_that_is_none_only_costs_speed(self, dataset: Dataset, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("no folder")
        with pytest.warns(RuntimeWarning, match="cannot be written"):
            take(self.loader(dataset, tmp_path / "file"), 2)

    def test_a_cache_too_small_for_the_split_keeps_its_limit(
        self, dataset: Dataset, tmp_path: Path, expected: list[Clips], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes = [facts.bytes for facts in dataset.manifest.shards if facts.split == "train"]
        monkeypatch.setattr("pipelines.loader.native.fetch.MEGABYTE", sum(sizes[:3]))
        batches = take(self.loader(dataset, tmp_path, cache_megabytes=1), len(expected))
        assert all(same(*pair) for pair in zip(batches, expected, strict=True))
        assert sum(path.stat().st_size for path in tmp_path.glob("??/*")) == sum(sizes[:3])

    def test_a_copy_that_rots_is_fetched_again(self, dataset: Dataset, tmp_path: Path, expected: list[Clips]) -> None:
        take(self.loader(dataset, tmp_path), len(expected))
        for path in tmp_path.glob("??/*"):
            path.write_bytes(bytes(path.stat().st_size))
        batches = take(self.loader(dataset, tmp_path), len(expected))
        assert all(same(*pair) for pair in zip(batches, expected, strict=True))

    def test_what_others_evict_is_read_from_the_store(
        self, dataset: Dataset, tmp_path: Path, expected: list[Clips]
    ) -> None:
        with self.loader(dataset, tmp_path) as loader:
            batches = [next(loader) for _ in range(5)]
            for facts in dataset.manifest.shards:
                ShardCache(tmp_path, 1).drop(facts.sha256)
            batches += [next(loader) for _ in expected[5:]]
        assert all(same(*pair) for pair in zip(batches, expected, strict=True))

    def test_damage_in_the_store_is_named_through_the_cache(self, dataset: Dataset, tmp_path: Path) -> None:
        name = damage(dataset, 4)
        with pytest.raises(InfraError, match=name):
            take(self.loader(dataset, tmp_path), 45)
        assert len(list(tmp_path.glob("??/*"))) < len(dataset.chunk_table("train").shards)
