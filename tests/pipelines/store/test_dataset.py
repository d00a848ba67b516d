"""A stored dataset gives back what was simulated, from a folder and from S3, and names what is damaged."""

from pathlib import Path

import numpy as np
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.episodes import SPLITS
from jepa.core.errors import InputError
from jepa.worlds import collect_episodes
from pipelines.store import Dataset, DatasetHandle, dataset_names, verify
from pipelines.store.datasets.moments import Moments
from tests.pipelines.small_dataset import small_dataset


@pytest.mark.parametrize("format", ["mds", "webdataset"])
def test_episodes_return_exactly(store: Store, format: str) -> None:
    dataset = small_dataset(store, episodes=20, format=format)
    plan, total = dataset.manifest.plan, 0
    for split in SPLITS:
        wanted = [one for one in map(plan.episode_plan, range(20)) if one.split == split]
        held = list(dataset.episodes(split))
        assert dataset.count(split) == len(held) == len(wanted)
        for ours, theirs in zip(held, collect_episodes(plan.world, plan.world_options, wanted), strict=True):
            assert (ours.index, ours.seed, ours.split, ours.policy) == (
                theirs.index,
                theirs.seed,
                split,
                theirs.policy,
            )
            assert ours.variation == dict(theirs.variation)
            assert np.array_equal(ours.pixels, theirs.pixels) and np.array_equal(ours.action, theirs.action)
            assert all(np.array_equal(ours.state[name], theirs.state[name]) for name in theirs.state)
        total += len(held)
    assert total == 20 and verify(DatasetHandle(store, "small")).ok


def test_limit_takes_the_first_episodes(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)))
    every = [episode.index for episode in dataset.episodes("train")]
    assert every == sorted(every)
    assert [episode.index for episode in dataset.episodes("train", 7)] == every[:7]
    assert list(dataset.episodes("train", 0)) == []


def test_statistics_come_from_train_alone(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)))
    action = np.concatenate([episode.action for episode in dataset.episodes("train")])
    expected, held = Moments.of(action), dataset.statistics["action"]
    assert held.count == len(action)
    assert held.mean == pytest.approx(expected.mean, abs=1e-12) and held.std == pytest.approx(expected.std, abs=1e-12)
    everything = np.concatenate([episode.action for split in SPLITS for episode in dataset.episodes(split)])
    assert held.mean != pytest.approx(Moments.of(everything).mean, abs=1e-6)


def test_a_missing_dataset_and_split_are_named(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    with pytest.raises(InputError, match=r"'d7' is not in store .* none yet"):
        Dataset(store, "d7")
    dataset = small_dataset(store, episodes=20)
    assert dataset_names(store) == ["small"] and Dataset.exists(store, "small") and not Dataset.exists(store, "d7")
    with pytest.raises(InputError, match=r"choose one of: small"):
        Dataset(store, "d7")
    with pytest.raises(InputError, match=r"split 'training' is not known"):
        dataset.count("training")
    with pytest.raises(InputError, match=r"name '../x' is not usable"):
        Dataset(store, "../x")


def test_verify_names_what_is_damaged_and_reading_refuses_it(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    dataset = small_dataset(store)
    table = dataset.chunk_table("train")
    path = dataset.shard_path(table, 5)
    data = bytearray(store.read(path))
    data[int(table.offset[5]) + int(table.length[5]) // 2] ^= 1
    store.write(path, bytes(data))
    store.delete("datasets/small/shards/test/shard-000000.mds")
    store.write("datasets/small/card.md", b"")
    report = verify(DatasetHandle(store, "small"))
    where = f"episode {table.episode[5]} from frame {table.first_frame[5]}"
    assert {(problem.path, problem.kind, problem.detail) for problem in report.problems} == {
        ("card.md", "damaged", ""),
        (path.removeprefix("datasets/small/"), "damaged", where),
        ("shards/test/shard-000000.mds", "missing", ""),
    }
    with pytest.raises(InfraError, match=rf"{where} is damaged"):
        list(Dataset(store, "small").episodes("train"))
    with pytest.raises(InfraError, match=r"lacks .*shard-000000"):
        list(Dataset(store, "small").episodes("test"))


def test_verify_without_the_chunk_table_still_reports(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    small_dataset(store, episodes=20)
    store.delete("datasets/small/chunks.parquet")
    assert [(problem.path, problem.kind) for problem in verify(DatasetHandle(store, "small")).problems] == [
        ("chunks.parquet", "missing")
    ]


def test_a_manifest_of_another_kind_is_refused(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.write("datasets/small/manifest.json", b'{"schema_version": 99}')
    with pytest.raises(InfraError, match=r"not a manifest that this version reads"):
        Dataset(store, "small")
