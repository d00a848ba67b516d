"""The same plan gives the same bytes, whoever collects, in whatever order, killed or not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.progress import Progress
from infra.storage import Store, open_store
from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from pipelines.collect import collect, collect_shard, plan_dataset
from pipelines.collect.job import ShardTask, _find_or_make, make_dataset
from pipelines.collect.shard import simulate
from pipelines.store import DatasetHandle, DatasetManifest, DatasetPlan, ShardPlan, verify
from pipelines.store.datasets.layout import DatasetLayout
from pipelines.store.datasets.manifest import read_marker
from tests.pipelines.small_dataset import small_config, stored_bytes


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process leaves that nobody disturbs."""
    store = open_store(str(tmp_path_factory.mktemp("undisturbed")))
    collect(small_config(), store)
    assert verify(DatasetHandle(store, "small")).ok
    return stored_bytes(store)


def test_layout(undisturbed: dict[str, bytes]) -> None:
    shards = {"train": 8, "validation": 1, "test": 1, "unseen": 1}
    files = {"manifest.json", "episodes.parquet", "chunks.parquet", "card.md"}
    files |= {f"shards/{split}/index.json" for split in shards}
    wanted = files | {f"versions/000001/{path}" for path in (*files, "plan.json", "digests.json")}
    for split, count in shards.items():
        wanted |= {f"shards/{split}/shard-{n:06d}.mds" for n in range(count)}
        wanted |= {f"completed/{split}/shard-{n:06d}.json" for n in range(count)}
    assert set(undisturbed) == wanted
    assert all(undisturbed[path] == undisturbed[f"versions/000001/{path}"] for path in files)


def test_collecting_again_does_nothing(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    store = open_store(str(tmp_path))
    first = collect(small_config(), store)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert collect(small_config(), store) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == times
    assert stored_bytes(store) == undisturbed


def test_shards_in_any_order(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    store, plan = open_store(str(tmp_path)), plan_dataset(small_config())
    for number in reversed(range(plan.shard_count)):
        collect_shard(plan, number, DatasetHandle(store, "small"))
    collect(small_config(), store)
    assert stored_bytes(store) == undisturbed


@pytest.mark.slow
def test_two_processes(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(actors=2), store)
    assert stored_bytes(store) == undisturbed


@pytest.mark.ray
def test_two_actors_on_either_store(store: Store, ray_cluster: None, undisturbed: dict[str, bytes]) -> None:
    collect(small_config(actors=2, executor="ray"), store)
    assert stored_bytes(store) == undisturbed


@pytest.mark.parametrize("harm", ["half shard", "no marker", "half marker", "other digest", "no shard"])
def test_what_is_not_whole_is_collected_again(tmp_path: Path, harm: str, undisturbed: dict[str, bytes]) -> None:
    store, plan = open_store(str(tmp_path)), plan_dataset(small_config())
    marker = collect_shard(plan, 2, DatasetHandle(store, "small"))
    shard_path, marker_path = f"datasets/small/{marker.facts.path}", DatasetLayout("small").marker(plan.shard(2))
    if harm == "half shard":
        store.write(shard_path, store.read(shard_path)[:1000])
    elif harm == "no marker":
        store.write(shard_path, b"half of it")
        store.delete(marker_path)
    elif harm == "half marker":
        store.write(marker_path, store.read(marker_path)[:50])
    elif harm == "other digest":
        store.write(marker_path, store.read(marker_path).replace(marker.facts.sha256.encode(), b"0" * 64))
    else:
        store.delete(shard_path)
    collect(small_config(), store)
    assert stored_bytes(store) == undisturbed


def test_a_finished_shard_is_not_simulated_again(tmp_path: Path) -> None:
    store, plan = open_store(str(tmp_path)), plan_dataset(small_config())

    def never(*_: object) -> Iterator[Episode]:
        raise AssertionError("simulated again")

    made = _find_or_make(plan, DatasetHandle(store, "small"), simulate, ShardTask(0))
    found = _find_or_make(plan, DatasetHandle(store, "small"), never, ShardTask(0))
    assert (made.made, found.made) == (True, False) and found.facts == made.facts
    with pytest.raises(AssertionError):
        _find_or_make(plan, DatasetHandle(store, "small"), never, ShardTask(1))


def test_another_plan_under_the_same_name_is_refused(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(episodes=20), store)
    before = stored_bytes(store)
    with pytest.raises(InputError, match="'small' was collected with seed 0 and not 1; choose another name"):
        collect(small_config(episodes=20, seed=1), store)
    assert stored_bytes(store) == before


def test_another_plan_is_refused_before_the_first_is_done(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(episodes=20), store)
    for path in ("manifest.json", "versions/000001/manifest.json", "versions/000001/digests.json"):
        store.delete(f"datasets/small/{path}")
    with pytest.raises(InputError, match="steps 30 and not 31"):
        collect(small_config(episodes=20, steps=31), store)


def fail_at_three(plan: DatasetPlan, shard: ShardPlan) -> Iterator[Episode]:
    if shard.number == 3:
        raise RuntimeError("the renderer is gone")
    return simulate(plan, shard)


def test_a_shard_that_fails_is_named_and_the_rest_completes(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    store, config = open_store(str(tmp_path)), small_config(retries=1)
    plan = plan_dataset(config)
    seeds = [plan.episode_plan(index).seed for index in plan.shard(3).episodes]
    said = (
        f"1 of 11 units failed.*train/shard-000003, dataset seed 0, episodes .* with seeds {seeds[0]} to {seeds[-1]}: "
        "RuntimeError: the renderer is gone"
    )
    with pytest.raises(InfraError, match=said):
        make_dataset(DatasetHandle(store, "small"), plan, config, fail_at_three, Progress())
    assert len(store.list("datasets/small/completed/")) == 10 and not store.exists("datasets/small/manifest.json")
    collect(config, store)
    assert stored_bytes(store) == undisturbed


def test_who_finds_the_commit_done_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(episodes=20), store)
    before = stored_bytes(store)
    manifest, looked = DatasetHandle.manifest, []

    def early(self: DatasetHandle, version: int | None = None) -> DatasetManifest | None:
        looked.append(version)
        return None if len(looked) == 1 else manifest(self, version)

    monkeypatch.setattr(DatasetHandle, "manifest", early)  # as one sees it who began before the other committed
    monkeypatch.setattr("pipelines.store.datasets.commit.code_version", lambda: "other code")
    collect(small_config(episodes=20), store)
    assert "version 1 of dataset 'small' was committed by another run of the same plan" in caplog.text
    assert stored_bytes(store) == before


def test_the_card_tells_how_it_was_made(undisturbed: dict[str, bytes]) -> None:
    card = undisturbed["card.md"].decode()
    for words in (
        "World `two_room` at 32×32",
        "40 episodes of 30 steps",
        "dataset seed 0",
        "two_room/expert",
        "| door |",
        "`agent_position` visited ",
    ):
        assert words in card
    assert "| train | 30 | 930 |" in card


def test_a_marker_holds_its_chunks(tmp_path: Path) -> None:
    store, plan = open_store(str(tmp_path)), plan_dataset(small_config())
    marker = collect_shard(plan, 0, DatasetHandle(store, "small"))
    assert read_marker(store, DatasetLayout("small").marker(plan.shard(0))) == marker
    assert [(chunk.first_frame, chunk.frames) for chunk in marker.chunks[:3]] == [(0, 12), (12, 12), (24, 7)]
    assert marker.facts.frames == 4 * 31 and len(marker.episodes) == 4
