"""A million clips open as fast as a thousand, and memory does not grow with the batches."""

import ctypes
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.storage import open_store
from pipelines.loader import ClipLoader, LoaderConfig
from pipelines.store import Dataset
from tests.conftest import ROOT
from tests.pipelines.loader.derived import derive
from tests.pipelines.loader.test_loader import make_loader
from tests.pipelines.small_dataset import small_dataset

FIRST_BATCH = """
import json, sys, psutil
from infra.storage import open_store
from pipelines.loader import ClipLoader, LoaderConfig
from pipelines.store import Dataset
process = psutil.Process()
before = process.memory_info().rss
loader = ClipLoader(Dataset(open_store(sys.argv[1]), "large"), "train", LoaderConfig(threads=2),
                    history=3, horizon=1, frameskip=5, batch_size=64, seed=0)
next(loader)
grown = process.memory_info().rss - before
clips = int(loader._cutter.windows.sum())
loader.close()
print(json.dumps({"clips": clips, "megabytes": grown / 2**20}))
"""
MANY_BATCHES = """
import gc, json, sys, psutil
from infra.storage import open_store
from pipelines.store import Dataset
from tests.pipelines.loader.test_loader import make_loader
grown = []
with make_loader(Dataset(open_store(sys.argv[1]), "small")) as loader:
    for batches in (1000, 6000):
        for _ in range(batches):
            next(loader)
        gc.collect()
        grown.append(psutil.Process().memory_info().rss)
print(json.dumps({"megabytes": (grown[1] - grown[0]) / 2**20}))
"""


def figures_of(script: str, folder: Path) -> dict[str, float]:
    """Returns what a script says of a process of its own, where nothing else grows."""
    command = [sys.executable, "-c", script, str(folder)]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def million_clips(folder: Path) -> Dataset:
    """Writes a dataset of a million clips in more than a thousand shards."""
    store = open_store(str(folder))
    source = small_dataset(
        store, episodes=40, steps=1000, image_size=16, chunk_frames=50, episodes_per_shard=2, policy="random"
    )
    return derive(source, store, "large", repeat=34)


@pytest.mark.slow
def test_the_first_of_a_million_clips_comes_at_once(tmp_path: Path) -> None:
    dataset = million_clips(tmp_path)
    assert len(dataset.manifest.shards) > 600 and len(dataset.chunk_table("train")) > 20_000
    figures = figures_of(FIRST_BATCH, tmp_path)
    assert figures["clips"] > 1e6
    assert figures["megabytes"] < 300, figures  # the benchmark tells the seconds


def test_memory_is_flat(tmp_path: Path) -> None:
    small_dataset(open_store(str(tmp_path)), chunk_frames=31)
    # A leak of one clip's facts a batch would be 6 MB, of one batch in a hundred 8.
    assert figures_of(MANY_BATCHES, tmp_path)["megabytes"] < 5


def test_memory_is_bounded_by_its_setting(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), image_size=128, chunk_frames=31)
    batch = 12 * 4 * 128 * 128 * 3
    bounds = [megabytes * 2**20 + 6 * batch for megabytes in (8, 64)]
    grown = []
    for megabytes, least in ((8, 0), (64, bounds[0])):
        # What earlier tests have freed must not take in what is filled here.
        ctypes.CDLL(None).malloc_trim(0)
        process, before = psutil.Process(), psutil.Process().memory_info().rss
        with make_loader(dataset, config=LoaderConfig(memory_megabytes=megabytes, threads=1)) as loader:
            next(loader)  # while nobody takes another, it fills what it may
            grown.append(_settled(process, before + least) - before)
    assert grown[0] < bounds[0] < grown[1] < bounds[1]


def _settled(process: psutil.Process, least: int) -> int:
    """Returns the memory of a process once it is over `least`, if it ever is, and has not grown for two seconds."""
    sizes = [process.memory_info().rss]
    patience = 600  # tenths of a second: of a busy machine two seconds without growth say nothing
    while len(sizes) < 21 or max(sizes[-20:]) > max(sizes[:-20]) or (sizes[-1] <= least and len(sizes) < patience):
        time.sleep(0.1)
        sizes.append(process.memory_info().rss)
    return sizes[-1]


def test_more_workers_than_chunks(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), episodes=20, chunk_frames=31)
    workers = len(dataset.chunk_table("train")) + 9
    counts = []
    for rank in (0, workers - 1):
        with make_loader(dataset, batch_size=workers, rank=rank, world_size=workers) as loader:
            counts.append(sum(len(next(loader).pixels_BTHWC) for _ in range(2 * loader.batches_per_epoch())))
    assert counts[0] == counts[1] > 0


def test_an_epoch_always_has_a_batch(tmp_path: Path) -> None:
    # 19 windows in each of 15 chunks: a batch of all clips but one leaves no room for several rounds.
    dataset = small_dataset(open_store(str(tmp_path)), episodes=20, chunk_frames=31)
    loader = make_loader(dataset, config=LoaderConfig(windows_per_chunk=1))
    clips = int(loader._cutter.windows.sum())
    with make_loader(dataset, batch_size=clips, config=LoaderConfig(windows_per_chunk=1)) as all_at_once:
        assert isinstance(all_at_once, ClipLoader) and all_at_once.batches_per_epoch() == 1
        assert len(set(all_at_once.provenance())) == clips == len(next(all_at_once).pixels_BTHWC)
