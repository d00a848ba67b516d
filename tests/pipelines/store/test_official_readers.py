"""The containers' own readers read our shards unaided, from a folder and from S3; every array is what was simulated."""

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import simplejpeg
import zstandard
from numpy.typing import NDArray

from infra.storage import Store
from jepa.core.episodes import Episode, Pixels
from jepa.worlds import collect_episodes
from pipelines.store import CODECS, Dataset
from pipelines.store.formats.webdataset_s3 import register_s3
from tests.pipelines.small_dataset import small_dataset

ENDING = {"zstd": "zst", "jpeg": "mjpeg", "h264": "h264", "raw": "bin"}


def simulate(dataset: Dataset, split: str) -> dict[int, Episode]:
    plan = dataset.manifest.plan
    plans = [plan.episode_plan(index) for index in range(plan.episodes)]
    wanted = [one for one in plans if one.split == split]
    return {episode.index: episode for episode in collect_episodes(plan.world, plan.world_options, wanted)}


def decode(codec: str, data: bytes, numbers: dict[str, int]) -> Pixels:
    """The two lines of the README for each codec, without any code of ours."""
    shape = numbers["frames"], numbers["height"], numbers["width"], 3
    if codec == "zstd":
        return np.frombuffer(zstandard.decompress(data), np.uint8).reshape(shape)
    if codec == "jpeg":
        images = data.split(b"\xff\xd9")[:-1]
        return np.stack([simplejpeg.decode_jpeg(image + b"\xff\xd9") for image in images])
    if codec == "h264":
        video = av.open(io.BytesIO(data), mode="r", format="h264")
        return np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])
    return np.frombuffer(data, np.uint8).reshape(shape)


def check(episode: Episode, codec: str, sample: dict[str, Any], pixels: bytes, state: dict[str, NDArray[Any]]) -> None:
    frames = slice(sample["first_frame"], sample["first_frame"] + sample["frames"])
    seen, simulated = decode(codec, pixels, sample), episode.pixels[frames]
    # Of lossy frames: what any reader decodes is what ours does.
    ours = CODECS.get(codec)
    wanted = simulated if ours.lossless else ours.decode(ours.encode(simulated), simulated.shape[:3])
    assert np.array_equal(seen, wanted)
    assert np.array_equal(sample["action"], episode.action[frames])
    assert state.keys() == episode.state.keys()
    assert all(np.array_equal(values, episode.state[name][frames]) for name, values in state.items())


@pytest.fixture
def clean_shared_memory() -> Iterator[None]:
    """streaming leaves names in shared memory when its dataset is not freed in order, and always its locks."""
    from streaming.base.util import clean_stale_shared_memory

    folder = Path(tempfile.gettempdir())
    clean_stale_shared_memory()
    before = set(folder.glob("*_filelock"))
    yield
    clean_stale_shared_memory()
    for lock in set(folder.glob("*_filelock")) - before:
        lock.unlink(missing_ok=True)


@pytest.mark.parametrize("codec", CODECS.names())
def test_streaming_reads_mds(store: Store, tmp_path: Path, codec: str, clean_shared_memory: None) -> None:
    from streaming import StreamingDataset

    dataset = small_dataset(store, episodes=20, codec=codec)
    episodes, seen = simulate(dataset, "train"), 0
    address = store.address("datasets/small/shards/train")
    remote, local = (address, str(tmp_path / "cache")) if "://" in address else (None, address)
    reader = StreamingDataset(remote=remote, local=local, batch_size=1)
    for sample in reader:
        state = {name.removeprefix("state/"): sample[name] for name in sample if name.startswith("state/")}
        check(episodes[sample["episode"]], codec, sample, sample["pixels"], state)
        seen += sample["frames"]
    assert seen == 31 * len(episodes) > 0
    del reader


@pytest.mark.parametrize("codec", CODECS.names())
def test_webdataset_reads_tar(store: Store, codec: str) -> None:
    import webdataset

    register_s3()
    dataset = small_dataset(store, episodes=20, format="webdataset", codec=codec)
    episodes, seen = simulate(dataset, "train"), 0
    urls = [store.address(path) for path in store.list("datasets/small/shards/train/")]
    for sample in webdataset.WebDataset(urls, shardshuffle=False).decode():
        numbers = sample["chunk.json"] | {"action": sample["action.npy"]}
        state = {name[6:-4]: sample[name] for name in sample if name.startswith("state.")}
        check(episodes[numbers["episode"]], codec, numbers, sample[f"pixels.{ENDING[codec]}"], state)
        seen += numbers["frames"]
    assert seen == 31 * len(episodes) > 0
