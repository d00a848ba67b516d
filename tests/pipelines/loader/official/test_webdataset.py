"""webdataset behind our interface: the same clips, and each worker has shards of its own."""

from pathlib import Path

import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.loader import LoaderConfig
from pipelines.store import Dataset
from tests.pipelines.loader.official.reading import assert_clips_are_those_of_the_episodes, opened
from tests.pipelines.loader.stores import copied
from tests.pipelines.small_dataset import small_dataset


@pytest.fixture(scope="module")
def tar(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The small dataset in tar archives."""
    return small_dataset(open_store(str(tmp_path_factory.mktemp("tar"))), format="webdataset")


@pytest.mark.slow
def test_clips_are_those_of_the_episodes(tar: Dataset, store: Store, tmp_path: Path) -> None:
    assert_clips_are_those_of_the_episodes(copied(tar, store), "webdataset", tmp_path)


def test_workers_read_different_shards(tar: Dataset, tmp_path: Path) -> None:
    seen: list[set[bytes]] = []
    for rank in range(2):
        with opened(tar, "webdataset", tmp_path, rank=rank, world_size=2) as loader:
            batches = [next(loader) for _ in range(20)]
        assert batches[0].pixels_BTHWC.shape[0] == 3
        seen.append({action.tobytes() for clips in batches for action in clips.action_BTKA.numpy()})
    assert not seen[0] & seen[1]


def test_more_workers_than_shards_are_refused(tar: Dataset, tmp_path: Path) -> None:
    match = "each worker shards of its own, and split 'train' has 8 for 12 workers; take fewer workers or `native`"
    with (
        opened(tar, "webdataset", tmp_path, batch_size=12, world_size=12) as loader,
        pytest.raises(InputError, match=match),
    ):
        next(loader)


def test_an_archive_that_is_gone_ends_the_iteration(tar: Dataset, tmp_path: Path) -> None:
    copy = copied(tar, open_store(str(tmp_path / "store")))
    for shard in copy.chunk_table("train").shards:
        copy.store.delete(f"datasets/{copy.name}/{shard}")
    config = LoaderConfig(kind="webdataset")
    with (
        opened(copy, "webdataset", tmp_path, config=config) as loader,
        pytest.raises(FileNotFoundError, match="shard-"),
    ):
        next(loader)
