"""More episodes make a new version: old shards and versions stay as they are, and bytes follow the plan."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from infra.storage import Store, open_store
from jepa.core.episodes import SPLITS
from jepa.core.errors import InputError
from pipelines.collect import collect, collect_shard, plan_dataset
from pipelines.store import Dataset, DatasetHandle, verify
from tests.pipelines.small_dataset import small_config, stored_bytes

COUNTS = (20, 33, 50)


def collect_in_turn(store: Store, counts: tuple[int, ...] = COUNTS) -> dict[str, bytes]:
    for count in counts:
        collect(small_config(episodes=count), store)
    return stored_bytes(store)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return collect_in_turn(open_store(str(tmp_path_factory.mktemp("grown"))))


def test_the_same_counts_give_the_same_bytes(tmp_path: Path, grown: dict[str, bytes]) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(episodes=20), store)
    plan = plan_dataset(small_config(episodes=33)).model_copy(update={"extends": (20,)})
    for number in reversed(range(plan.shard_count)):  # an extension whose driver died just before its commit
        collect_shard(plan, number, DatasetHandle(store, "small"))
    assert Dataset(store, "small").manifest.version == 1
    collect(small_config(episodes=33), store)
    collect(small_config(episodes=50), store)
    assert stored_bytes(store) == grown


def test_each_version_is_what_it_was(store: Store) -> None:
    collect(small_config(episodes=20), store)
    alone = stored_bytes(store)
    collect_in_turn(store, COUNTS[1:])
    later = stored_bytes(store)
    kept = [path for path in alone if path.startswith(("shards/", "versions/")) and not path.endswith("index.json")]
    assert kept and all(later[path] == alone[path] for path in kept)
    for version, count in enumerate(COUNTS, 1):
        dataset = Dataset(store, "small", version)
        assert dataset.manifest.version == version and dataset.manifest.plan.episodes == count
        assert sorted(dataset.episode_rows["episode"].to_numpy().tolist()) == list(range(count))
        assert verify(DatasetHandle(store, "small"), version).ok
    assert Dataset(store, "small").manifest.version == 3 and verify(DatasetHandle(store, "small")).ok
    with pytest.raises(InputError, match="no version 4; choose one from 1 to 3"):
        Dataset(store, "small", 4)


def test_the_episodes_are_those_of_a_dataset_collected_at_once(tmp_path: Path) -> None:
    stores = open_store(str(tmp_path / "grown")), open_store(str(tmp_path / "at_once"))
    collect_in_turn(stores[0])
    collect(small_config(episodes=50), stores[1])
    grown, at_once = (Dataset(store, "small") for store in stores)
    for split in SPLITS:
        for one, other in zip(grown.episodes(split), at_once.episodes(split), strict=True):
            assert (one.index, one.seed, one.variation) == (other.index, other.seed, other.variation)
            assert np.array_equal(one.pixels, other.pixels) and np.array_equal(one.action, other.action)
    assert grown.statistics["action"].mean == pytest.approx(at_once.statistics["action"].mean, abs=1e-12)


def test_the_indexes_at_the_top_are_the_newest(grown: dict[str, bytes]) -> None:
    newest = {path.removeprefix("versions/000003/") for path in grown if path.startswith("versions/000003/")}
    for path in newest - {"plan.json", "digests.json"}:
        assert grown[path] == grown[f"versions/000003/{path}"]


def test_a_copy_that_was_not_written_in_time_misleads_nobody(tmp_path: Path, grown: dict[str, bytes]) -> None:
    store = open_store(str(tmp_path))
    collect_in_turn(store)
    for path in ("manifest.json", "chunks.parquet"):  # the driver died between commit and copy
        store.write(f"datasets/small/{path}", store.read(f"datasets/small/versions/000002/{path}"))
    assert Dataset(store, "small").manifest.version == 3
    assert not verify(DatasetHandle(store, "small")).ok
    collect(small_config(episodes=50), store)
    assert stored_bytes(store) == grown


def test_nothing_else_may_change(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    collect_in_turn(store, (20, 33))
    before = stored_bytes(store)
    with pytest.raises(InputError, match="holds 33 episodes and episodes is 20, but a dataset only grows"):
        collect(small_config(episodes=20), store)
    with pytest.raises(InputError, match="chunk_frames 12 and not 6"):
        collect(small_config(episodes=50, chunk_frames=6), store)
    assert stored_bytes(store) == before


def test_another_extension_of_the_same_version_is_refused(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    collect_in_turn(store, (20, 33))
    # As if the first extension were still under way.
    for path in ("manifest.json", "versions/000002/manifest.json"):
        store.delete(f"datasets/small/{path}")
    store.write("datasets/small/manifest.json", store.read("datasets/small/versions/000001/manifest.json"))
    with pytest.raises(InputError, match="episodes 33 and not 50"):
        collect(small_config(episodes=50), store)
    assert collect(small_config(episodes=33), store).version == 2


def run_collect(uri: str, seed: int, outcome: "multiprocessing.SimpleQueue[str]") -> None:
    try:
        outcome.put(f"version {collect(small_config(seed=seed), open_store(uri)).version}")
    except InputError as error:
        outcome.put(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [(0, 0), (0, 1)], ids=["same plan", "other plan"])
def test_two_collectors_at_once(store: Store, seeds: tuple[int, int]) -> None:
    context = multiprocessing.get_context("spawn")
    outcomes = context.SimpleQueue()
    both = [context.Process(target=run_collect, args=(store.uri, seed, outcomes)) for seed in seeds]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    refused = sorted(outcomes.get() for _ in both)
    assert refused[1] == "version 1"
    if seeds == (0, 0):
        assert refused[0] == "version 1"
    else:
        assert "'small' was collected with seed" in refused[0] and "choose another name" in refused[0]
    assert verify(DatasetHandle(store, "small")).ok
    undisturbed = open_store(store.uri + "-alone")
    collect(small_config(seed=Dataset(store, "small").manifest.plan.seed), undisturbed)
    assert stored_bytes(store) == stored_bytes(undisturbed)
