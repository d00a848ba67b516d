"""Files of stable-worldmodel's own writer, and LeWM's compressed ones, become datasets whose every frame is equal."""

from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from numpy.typing import NDArray

from infra.storage import Store, open_store
from jepa.core.episodes import SPLITS
from jepa.core.errors import InputError
from pipelines.collect import ImportConfig, WorkConfig, import_hdf5, repair
from pipelines.collect.imports.hdf5 import open_source
from pipelines.store import Dataset, DatasetHandle, verify
from tests.pipelines.small_dataset import stored_bytes

LENGTHS = [7, 2, 30, 15, 9, 21, 12, 5, 18, 26, 11, 8, 3, 14, 25, 6, 10, 4, 16, 20]


def make_episode(number: int, frames: int) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(number)
    action = rng.normal(size=(frames, 2)).astype(np.float32)
    action[-1] = np.nan  # as `World.collect` leaves it
    return {
        "pixels": rng.integers(0, 256, (frames, 16, 16, 3), dtype=np.uint8),
        "action": action,
        "proprio": rng.normal(size=(frames, 4)),
        "state": rng.normal(size=(frames, 7)),
        "reward": rng.normal(size=frames),
        "caption": np.array([b"pushes"] * frames),
    }


EPISODES = [make_episode(number, frames) for number, frames in enumerate(LENGTHS)]


def write_with_package(path: Path) -> None:
    from stable_worldmodel.data.formats.hdf5 import HDF5Writer

    with HDF5Writer(path) as writer:
        writer.write_episodes({name: list(rows) for name, rows in episode.items()} for episode in EPISODES)


def write_compressed(path: Path, **filters: Any) -> None:
    with h5py.File(path, "w") as file:
        for name in EPISODES[0]:
            rows = np.concatenate([episode[name] for episode in EPISODES])
            file.create_dataset(name, data=rows, chunks=(5, *rows.shape[1:]), **filters)
        file["ep_len"] = np.array(LENGTHS, np.int32)
        file["ep_offset"] = np.cumsum([0, *LENGTHS[:-1]])


@pytest.fixture(params=["package", "blosc", "gzip"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / "published.h5"
    if request.param == "package":
        write_with_package(path)
    else:
        write_compressed(
            path, **(hdf5plugin.Blosc(cname="zstd") if request.param == "blosc" else {"compression": "gzip"})
        )
    return str(path)


def config(file: str, **changes: Any) -> ImportConfig:
    fields: dict[str, Any] = {"executor": "local", "actors": 1, "episodes_per_shard": 3, "chunk_frames": 10}
    return ImportConfig(file=file, name="small", **fields | changes)


def check_equal(store: Store, columns: tuple[str, ...] = ("proprio", "state")) -> None:
    dataset, seen = Dataset(store, "small"), []
    for split in SPLITS:
        for episode in dataset.episodes(split):
            wanted = EPISODES[episode.index]
            assert np.array_equal(episode.pixels, wanted["pixels"])
            assert np.array_equal(episode.action, wanted["action"][:-1])
            assert set(episode.state) == set(columns)
            for name in columns:
                rows = wanted[name].astype(np.float32).reshape(len(wanted[name]), -1)
                assert np.array_equal(episode.state[name], rows)
            seen.append(episode.index)
    assert sorted(seen) == list(range(len(EPISODES))) and verify(DatasetHandle(store, "small")).ok


def test_every_frame_is_equal(file: str, store: Store) -> None:
    manifest = import_hdf5(config(file), store)
    check_equal(store)
    assert "Imported by code" in store.read("datasets/small/card.md").decode()
    before = stored_bytes(store)
    assert import_hdf5(config(file), store) == manifest and stored_bytes(store) == before


def test_it_goes_on_from_what_is_done_and_repairs(tmp_path: Path) -> None:
    path = tmp_path / "published.h5"
    write_with_package(path)
    stores = [open_store(str(tmp_path / name)) for name in ("whole", "cut off")]
    for store in stores:
        import_hdf5(config(str(path)), store)
    for left in ("manifest.json", "versions/000001/manifest.json", "versions/000001/digests.json"):
        stores[1].delete(f"datasets/small/{left}")
    stores[1].delete("datasets/small/completed/train/shard-000002.json")
    import_hdf5(config(str(path)), stores[1])
    assert stored_bytes(stores[0]) == stored_bytes(stores[1])
    stores[1].delete("datasets/small/shards/train/shard-000001.mds")
    with pytest.raises(InputError, match="name its HDF5 file by --file"):
        repair(DatasetHandle(stores[1], "small"), WorkConfig(executor="local"))
    moved = path.rename(tmp_path / "moved.h5")
    repair(DatasetHandle(stores[1], "small"), WorkConfig(executor="local", actors=1), file=str(moved))
    assert stored_bytes(stores[0]) == stored_bytes(stores[1])


def test_other_columns_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "published.h5"
    write_with_package(path)
    store = open_store(str(tmp_path / "store"))
    import_hdf5(config(str(path), columns=("state", "reward")), store)
    check_equal(store, ("reward", "state"))


def test_another_file_under_the_same_name_is_refused(tmp_path: Path) -> None:
    path, store = tmp_path / "published.h5", open_store(str(tmp_path / "store"))
    write_with_package(path)
    import_hdf5(config(str(path)), store)
    with h5py.File(path, "a") as file:
        file["pixels"][3] = 0
    with pytest.raises(InputError, match="'small' was collected with source"):
        import_hdf5(config(str(path)), store)


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "published.h5"
    with pytest.raises(InputError, match="does not exist"):
        open_source(str(path))
    path.write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="no HDF5 file"):
        open_source(str(path))
    write_with_package(path.with_name("good.h5"))
    good = str(path.with_name("good.h5"))
    with pytest.raises(InputError, match="lacks velocity; it has: action, caption, ep_len"):
        open_source(good, ("velocity",))
    with pytest.raises(InputError, match=r"caption is .*; it must hold a few numbers a row"):
        open_source(good, ("caption",))
    with h5py.File(good, "a") as file:
        file["action"][LENGTHS[0]] = np.nan
    store = open_store(str(tmp_path / "store"))
    with pytest.raises(InputError, match=r"episode 1, frame 0: action\[0\] is nan, which is not finite"):
        import_hdf5(config(good), store)
    assert not stored_bytes(store)
    with h5py.File(good, "a") as file:
        file["ep_len"][3] = 400
    with pytest.raises(InputError, match="episode 3 ends after the last of"):
        open_source(good)
