"""A frame of every N-th step: the same episodes in a fifth of the renderings and bytes, and nothing else changes."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from infra.storage import open_store
from jepa.core.config import to_json
from jepa.core.episodes import SPLITS, Episode
from jepa.core.errors import InputError
from jepa.worlds import WORLDS
from pipelines.collect import collect, collect_shard, plan_dataset
from pipelines.collect.limits import check_room
from pipelines.store import Dataset, DatasetHandle, verify
from pipelines.store.datasets.plan import ImportedFile
from pipelines.store.inventory import inventory
from tests.pipelines.small_dataset import small_config, small_dataset, stored_bytes

EVERY = {"frame_every": 5, "steps": 32, "chunk_frames": 3}
"""Frames of the steps 0 to 30, in chunks of three and of four; two steps come after the last frame."""


def episodes(dataset: Dataset) -> list[Episode]:
    return [episode for split in SPLITS for episode in dataset.episodes(split)]


@pytest.mark.parametrize("container", ["mds", "webdataset"])
def test_frames_are_every_fifth_and_all_else_is_the_same(container: str, tmp_path: Path) -> None:
    dense = small_dataset(open_store(str(tmp_path / "dense")), steps=32, format=container)
    sparse = small_dataset(open_store(str(tmp_path / "sparse")), **EVERY, format=container)
    pairs = list(zip(episodes(dense), episodes(sparse), strict=True))
    assert len(pairs) == 40
    for one, other in pairs:
        assert (one.index, one.seed, one.split, one.policy) == (other.index, other.seed, other.split, other.policy)
        assert np.array_equal(other.pixels, one.pixels[::5]) and other.frame_every == 5
        assert np.array_equal(other.action, one.action) and other.action.shape == (32, 2)
        assert all(np.array_equal(other.state[name], values) for name, values in one.state.items())
        assert other.drawn_steps.tolist() == [0, 5, 10, 15, 20, 25, 30]
        assert np.array_equal(other.frames_at([20, 5]), one.pixels[[20, 5]])
        assert np.array_equal(other.frames_at(30), one.pixels[30])
    assert sparse.statistics == dense.statistics
    assert sparse.manifest.total("frames") == 40 * 7
    assert verify(DatasetHandle(sparse.store, "small")).ok
    assert "A frame of every 5 steps is stored" in stored_bytes(sparse.store)["card.md"].decode()
    (entry,) = inventory(sparse.store).datasets
    assert (entry.frames, entry.frame_every) == (280, 5)


def test_raw_frames_take_a_fifth_of_the_bytes(tmp_path: Path) -> None:
    common = {"codec": "raw", "episodes": 8, "image_size": 64, "steps": 99}
    dense = small_dataset(open_store(str(tmp_path / "dense")), **common)
    sparse = small_dataset(open_store(str(tmp_path / "sparse")), **common, frame_every=5)
    ratio = sparse.manifest.total("bytes") / dense.manifest.total("bytes")
    assert 0.2 < ratio < 0.21


def test_a_fifth_is_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, counted = WORLDS.get("two_room"), {"frames": 0, "steps": 0}
    render, advance = kind.render_pixels, kind.advance

    def rendered(self: Any) -> Any:
        counted["frames"] += self.num_envs
        return render(self)

    def advanced(self: Any, action: Any) -> Any:
        counted["steps"] += self.num_envs
        return advance(self, action)

    monkeypatch.setattr(kind, "render_pixels", rendered)
    monkeypatch.setattr(kind, "advance", advanced)
    collect(small_config(**EVERY), open_store(str(tmp_path)))
    assert counted == {"frames": 40 * 7, "steps": 40 * 32}


def test_a_collection_that_was_cut_off_gives_the_same_bytes(tmp_path: Path) -> None:
    store, config = open_store(str(tmp_path / "whole")), small_config(**EVERY)
    collect(config, store)
    wanted = stored_bytes(store)
    store, plan = open_store(str(tmp_path / "cut")), plan_dataset(config)
    for number in (5, 2, 0):
        marker = collect_shard(plan, number, DatasetHandle(store, "small"))
    path = f"datasets/small/{marker.facts.path}"
    store.write(path, store.read(path)[:500])
    collect(config, store)
    assert stored_bytes(store) == wanted


def test_it_grows_with_the_same_frames_alone(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    collect(small_config(**EVERY, episodes=20), store)
    grown = small_dataset(store, **EVERY)
    assert (grown.manifest.version, grown.frame_every, grown.manifest.total("frames")) == (2, 5, 280)
    with pytest.raises(InputError, match="frame_every"):
        collect(small_config(**EVERY | {"frame_every": 1}), store)


def test_without_it_plans_are_as_they_were() -> None:
    plan = plan_dataset(small_config())
    document = to_json(plan)
    # As the code before this field wrote them.
    assert plan.fingerprint() == "ad55a82893ed" and plan.shard(0).digest == "6efc4258debadaec"
    assert hashlib.sha256(document).hexdigest() == "01379e1b9747036ae7acfa8a3110dbdf4a49420b0947cc0db1d025791d24c284"
    other = plan_dataset(small_config(frame_every=5))
    assert other.fingerprint() != plan.fingerprint() and other.shard(0).digest != plan.shard(0).digest
    assert type(other).model_validate_json(to_json(other)) == other


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="frame_every 31 leaves an episode of 30 steps one frame alone; take 30"):
        plan_dataset(small_config(frame_every=31))
    with pytest.raises(ValidationError, match="frame_every"):
        small_config(frame_every=0)
    plan = plan_dataset(small_config(frame_every=5))
    with pytest.raises(ValidationError, match="frame_every 5 with an imported file cannot be"):
        type(plan).model_validate(plan.model_dump() | {"source": ImportedFile(sha256="0" * 64, columns=())})


def test_costs_count_frames_and_not_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(str(tmp_path))
    dense, sparse = (plan_dataset(small_config(codec="raw", frame_every=every)) for every in (1, 5))
    between = 40 * (31 * 8 + 7 * 3 * 32**2)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": between}))
    check_room(sparse, store, 0)
    with pytest.raises(InputError, match="left; take fewer"):
        check_room(dense, store, 0)
    hopeless = {"episodes": 10_000_000, "steps": 200_000, "episodes_per_shard": 100}
    plan_dataset(small_config(**hopeless, frame_every=50))
    with pytest.raises(InputError, match="days at least"):
        plan_dataset(small_config(**hopeless))
