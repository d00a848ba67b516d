"""What cannot be made is refused before anything is written, and a plan that nobody works under blocks nobody."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra.storage import open_store
from jepa.core.config import to_json
from jepa.core.errors import InputError
from pipelines.collect import collect, limits, name_claim, plan_dataset
from pipelines.executor import JobLog
from pipelines.store import DatasetHandle, verify
from pipelines.store.datasets.integrity.bounds import MOST_EPISODES
from pipelines.store.sealed import seal
from tests.pipelines.small_dataset import small_config, stored_bytes

HUGE = 10**12


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"episodes": 10_000_000, "episodes_per_shard": 1}, "10000000 shards, and 1000000 are possible; .* to 10 or"),
        ({"steps": 1_000_000, "image_size": 224}, "an episode of 1000000 steps .* GiB of memory and this machine has"),
        ({"episodes": 10_000_000, "steps": 900_000, "image_size": 32}, "days at least; take fewer episodes"),
    ],
)
def test_what_costs_too_much_is_refused_before_the_start(
    changes: dict[str, Any], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "machine_bytes", lambda: 64 * 2**30)
    with pytest.raises(InputError, match=sentence):
        collect(small_config(**{"episodes_per_shard": 100} | changes), open_store(str(tmp_path / "store")))
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("field", ["episodes", "steps", "actors", "episodes_per_shard", "chunk_frames"])
def test_counts_are_bounded(field: str) -> None:
    with pytest.raises(ValidationError, match=rf"{field}\n.*less than or equal to"):
        small_config(**{field: HUGE})


def test_a_disk_without_room_is_said_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 2**20}))
    with pytest.raises(InputError, match=r"take 0\.0 GiB at least and store .* has 0\.0 GiB left"):
        collect(small_config(codec="raw"), open_store(str(tmp_path / "a" / "store")))
    assert not (tmp_path / "a").exists()


@pytest.fixture
def claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetHandle:
    """A name that a plan of as many episodes as can be holds, under which nothing was made."""
    monkeypatch.setattr(name_claim, "START_SECONDS", 0.01)
    dataset = DatasetHandle(open_store(str(tmp_path)), "small")
    plan = plan_dataset(small_config()).model_copy(update={"episodes": MOST_EPISODES})
    dataset.store.write(dataset.layout.version(1, "plan.json"), seal(to_json(plan)))
    return dataset


def test_a_plan_without_a_finished_shard_is_replaced(
    claimed: DatasetHandle, tmp_path_factory: pytest.TempPathFactory
) -> None:
    collect(small_config(episodes=20), claimed.store)
    assert verify(claimed).ok
    alone = open_store(str(tmp_path_factory.mktemp("alone")))
    collect(small_config(episodes=20), alone)
    assert stored_bytes(claimed.store) == stored_bytes(alone)


def test_one_that_somebody_works_under_is_not(claimed: DatasetHandle) -> None:
    with (
        JobLog(name_claim.log_folder(claimed), small_config()),
        pytest.raises(InputError, match=f"was collected with episodes {MOST_EPISODES} and not 20"),
    ):
        collect(small_config(episodes=20), claimed.store)


def test_one_with_a_finished_shard_is_not(claimed: DatasetHandle) -> None:
    claimed.store.write(f"{claimed.layout.root}/completed/train/shard-000000.json", b"{}")
    with pytest.raises(InputError, match=f"was collected with episodes {MOST_EPISODES} and not 20"):
        collect(small_config(episodes=20), claimed.store)


def test_an_extension_that_was_only_claimed_is_replaced_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_claim, "START_SECONDS", 0.01)
    dataset = DatasetHandle(open_store(str(tmp_path)), "small")
    collect(small_config(episodes=20), dataset.store)
    plan = plan_dataset(small_config()).model_copy(update={"episodes": HUGE, "extends": (20,)})
    dataset.store.write(dataset.layout.version(2, "plan.json"), seal(to_json(plan)))
    assert collect(small_config(episodes=40), dataset.store).version == 2
    assert verify(dataset).ok
