"""The containers' own readers behind our interface: the same clips in their order, and what they lack is said."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.loader import LOADERS, ClipLoader, Loader, LoaderConfig, open_loader
from pipelines.loader.official.streaming import StreamingLoader
from pipelines.store import Dataset
from tests.pipelines.small_dataset import small_dataset

KINDS = {"streaming": "mds", "webdataset": "webdataset"}
STEPS, SKIP = 9, 3


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dataset(store: Store, kind: str) -> Dataset:
    return small_dataset(store, format=KINDS[kind])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "shards"


def left_behind(number: int) -> list[Path]:
    folders = Path("/dev/shm"), Path(tempfile.gettempdir())
    return [path for folder in folders for path in folder.glob(f"{number:06d}_*")]


def opened(dataset: Dataset, kind: str, cache: Path, **changes: Any) -> Loader:
    config = LoaderConfig(kind=kind, cache_folder=str(cache), windows_per_chunk=3)
    settings = {"history": 3, "horizon": 1, "frameskip": SKIP, "batch_size": 6, "seed": 0}
    return open_loader(dataset, "train", config, **settings | changes)


@pytest.mark.slow
def test_clips_are_those_of_the_episodes(dataset: Dataset, kind: str, cache: Path) -> None:
    episodes = {bytes(np.ascontiguousarray(e.pixels)): e for e in dataset.episodes("train")}
    frames = {pixels[t * 32 * 32 * 3 : (t + 1) * 32 * 32 * 3] for pixels in episodes for t in range(31)}
    actions = {e.action[t : t + STEPS].tobytes() for e in episodes.values() for t in range(31 - STEPS)}
    seen = set()
    with opened(dataset, kind, cache) as loader:
        for _ in range(40):
            clips = next(loader)
            assert clips.pixels_BTHWC.shape == (6, 4, 32, 32, 3) and clips.action_BTKA.shape == (6, 3, SKIP, 2)
            assert {frame.tobytes() for clip in clips.pixels_BTHWC.numpy() for frame in clip} <= frames
            found = {action.tobytes() for action in clips.action_BTKA.numpy()}
            assert found <= actions
            seen |= found
        counters = loader.counters()
        assert loader.position()["epoch"] >= 1 and counters.clips >= 40 * 6 and counters.cpu_seconds["decode"] > 0
    assert len(seen) > 60


def test_streaming_leaves_nothing_behind(tmp_path: Path, cache: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)))
    with opened(dataset, "streaming", cache) as loader:
        assert isinstance(loader, StreamingLoader)
        next(loader)
        number = int(loader._reader._shm_prefix_int)
        assert left_behind(number)
    assert not left_behind(number)


def test_only_the_start_of_an_epoch_can_be_sought(tmp_path: Path, cache: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), format="webdataset")
    with opened(dataset, "webdataset", cache) as loader:
        first = next(loader)
        with pytest.raises(InputError, match="'webdataset' cannot continue at batch 1 of an epoch"):
            loader.seek(loader.position())
        loader.seek({"epoch": 3, "batch": 0})
        assert not np.array_equal(next(loader).pixels_BTHWC, first.pixels_BTHWC)
        assert loader.position() == {"epoch": 3, "batch": 1}
        loader.seek({"epoch": 0, "batch": 0})
        assert np.array_equal(next(loader).pixels_BTHWC, first.pixels_BTHWC)


def test_what_a_reader_cannot_do_is_said(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mds, tar = (small_dataset(open_store(str(tmp_path / name)), format=name) for name in ("mds", "webdataset"))
    with pytest.raises(InputError, match="'webdataset' reads webdataset shards and dataset 'small' is in mds; take"):
        opened(mds, "webdataset", cache)
    with pytest.raises(InputError, match="has 0 clips of 13 frames"):
        opened(mds, "streaming", cache, frameskip=4)
    with pytest.raises(InputError, match="each worker shards of its own, and split 'train' has 8 for 12 workers"):
        next(opened(tar, "webdataset", cache, batch_size=12, world_size=12))
    with pytest.raises(InputError, match="WORLD_SIZE, which say 0 of 1 and not 1 of 2; launch"):
        next(opened(mds, "streaming", cache, rank=1, world_size=2))
    with pytest.raises(InputError, match=r"loader.kind 'tfrecord' is not known; choose one of: native, streaming, web"):
        opened(mds, "tfrecord", cache)
    assert isinstance(opened(mds, "native", cache), ClipLoader) and LOADERS.get("streaming") is StreamingLoader


def test_workers_of_webdataset_read_different_shards(tmp_path: Path, cache: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), format="webdataset")
    seen: list[set[bytes]] = []
    for rank in range(2):
        with opened(dataset, "webdataset", cache, rank=rank, world_size=2) as loader:
            batches = [next(loader) for _ in range(30)]
        assert batches[0].pixels_BTHWC.shape[0] == 3
        seen.append({action.tobytes() for clips in batches for action in clips.action_BTKA.numpy()})
    assert not seen[0] & seen[1]
