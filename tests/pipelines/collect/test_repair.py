"""What is damaged is made again, byte for byte; what would come out otherwise is not written."""

from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.worlds.two_room.world import TwoRoom
from pipelines.collect import WorkConfig, collect, repair
from pipelines.store import Dataset, DatasetHandle, verify
from tests.pipelines.small_dataset import small_config, stored_bytes

WORK = WorkConfig(executor="local", actors=1)
SHARD = "shards/train/shard-000003.mds"


def damage(store: Store, path: str, harm: str) -> None:
    whole = f"datasets/small/{path}"
    data = store.read(whole)
    if harm == "missing":
        store.delete(whole)
    elif harm == "truncated":
        store.write(whole, data[: len(data) // 2])
    else:
        store.write(whole, data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])


@pytest.mark.parametrize("harm", ["missing", "truncated", "flipped"])
def test_shards_and_indexes_are_named_and_repaired(store: Store, harm: str) -> None:
    collect(small_config(), store)
    before = stored_bytes(store)
    paths = {SHARD, "shards/unseen/shard-000000.mds", "versions/000001/chunks.parquet", "shards/train/index.json"}
    for path in paths:
        damage(store, path, harm)
    kind = "missing" if harm == "missing" else "damaged"
    report = repair(DatasetHandle(store, "small"), WORK)
    assert {(problem.path, problem.kind) for problem in report.problems} == {(path, kind) for path in paths}
    assert verify(DatasetHandle(store, "small")).ok and stored_bytes(store) == before


def test_only_what_is_wrong_is_made_again(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(), store)
    files = (tmp_path / "datasets").rglob("*")
    times = {path: path.stat().st_mtime_ns for path in files if path.is_file()}
    assert repair(DatasetHandle(store, "small"), WORK).ok
    damage(store, SHARD, "flipped")
    repair(DatasetHandle(store, "small"), WORK)
    changed = {path for path, time in times.items() if path.stat().st_mtime_ns != time}
    assert {str(path.relative_to(tmp_path / "datasets/small")) for path in changed} == {
        SHARD,
        "completed/train/shard-000003.json",
    }


def test_a_lost_marker_is_made_again_with_the_indexes(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(), store)
    before = stored_bytes(store)
    store.delete("datasets/small/completed/train/shard-000001.json")
    damage(store, "versions/000001/episodes.parquet", "missing")
    repair(DatasetHandle(store, "small"), WORK)
    assert stored_bytes(store) == before


def test_an_extended_dataset_is_repaired_too(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(episodes=20), store)
    collect(small_config(episodes=33), store)
    before = stored_bytes(store)
    last = Dataset(store, "small").manifest.shards[-1].path
    damage(store, SHARD, "flipped")
    damage(store, last, "missing")
    store.write("datasets/small/manifest.json", before["versions/000001/manifest.json"])
    repair(DatasetHandle(store, "small"), WORK)
    assert stored_bytes(store) == before


def test_other_bytes_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(), store)
    damage(store, SHARD, "truncated")
    before = stored_bytes(store)
    advance = TwoRoom.advance
    # As if the code of the world had changed since.
    monkeypatch.setattr(TwoRoom, "advance", lambda self, action_NA: advance(self, -action_NA))
    with pytest.raises(InfraError, match=rf"{SHARD} of dataset 'small' comes out with other bytes"):
        repair(DatasetHandle(store, "small"), WORK.model_copy(update={"retries": 0}))
    assert stored_bytes(store) == before
