"""A version is made of finished shards, once, and of nothing less."""

from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import open_store
from jepa.core.errors import InputError
from pipelines.collect import collect_shard, plan_dataset
from pipelines.store import DatasetHandle
from pipelines.store.datasets.commit import commit, publish, read_markers
from pipelines.store.datasets.manifest import check_same_plan, continue_plan
from pipelines.store.datasets.plan import DatasetPlan
from tests.pipelines.small_dataset import small_config

PLAN = plan_dataset(small_config(episodes=40, episodes_per_shard=20, steps=6))


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetHandle:
    """A dataset whose shards are made, but for the last."""
    handle = DatasetHandle(open_store(str(tmp_path)), "small")
    for number in range(PLAN.shard_count - 1):
        collect_shard(PLAN, number, handle)
    return handle


def test_a_missing_shard_is_named(dataset: DatasetHandle) -> None:
    last = PLAN.shard(PLAN.shard_count - 1)
    assert [shard.name for shard, marker, _ in read_markers(dataset, PLAN) if marker is None] == [last.name]
    with pytest.raises(InfraError, match=f"dataset 'small' lacks shard {last.name}: .* collect it again"):
        commit(dataset, PLAN)
    assert dataset.manifest() is None


def test_of_two_commits_the_first_stands(dataset: DatasetHandle) -> None:
    collect_shard(PLAN, PLAN.shard_count - 1, dataset)
    first, second = commit(dataset, PLAN), commit(dataset, PLAN)
    assert first.ours and first.manifest == second.manifest == dataset.require()
    other = PLAN.model_copy(update={"codec": "raw"})
    with pytest.raises(InfraError, match="lacks shard"):  # its shards are others
        commit(dataset, other)


def test_copies_at_the_top_are_made_again(dataset: DatasetHandle) -> None:
    collect_shard(PLAN, PLAN.shard_count - 1, dataset)
    manifest = commit(dataset, PLAN).manifest
    top = {dataset.layout.file(name) for name in ("manifest.json", "episodes.parquet", "chunks.parquet", "card.md")}
    held = {path: dataset.store.read(path) for path in top}
    for path in top:
        dataset.store.delete(path)
    publish(dataset, manifest)
    assert {path: dataset.store.read(path) for path in top} == held


def grown(episodes: int) -> DatasetPlan:
    return PLAN.model_copy(update={"episodes": episodes})


def test_a_plan_goes_on_with_more_episodes_and_nothing_else() -> None:
    assert continue_plan("d0", PLAN, PLAN) == PLAN
    longer = continue_plan("d0", PLAN, grown(60))
    assert (longer.episodes, longer.extends, longer.version) == (60, (40,), 2)
    assert continue_plan("d0", longer, grown(60)) == longer
    assert continue_plan("d0", longer, grown(80)).extends == (40, 60)
    with pytest.raises(InputError, match="dataset 'd0' holds 40 episodes and episodes is 20, but a dataset only grows"):
        continue_plan("d0", PLAN, grown(20))
    with pytest.raises(
        InputError, match="dataset 'd0' was collected with seed 0 and not 1, codec 'zstd' and not 'raw'"
    ):
        check_same_plan("d0", PLAN, PLAN.model_copy(update={"seed": 1, "codec": "raw"}))
