"""A million clips open as fast as a thousand, and memory does not grow with the batches."""

import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.storage import open_store
from pipelines.loader import ClipLoader, LoaderConfig
from pipelines.store import Dataset
from tests.pipelines.loader.derived import derive
from tests.pipelines.loader.test_loader import make_loader
from tests.pipelines.small_dataset import small_dataset

FIRST_BATCH = """
import json, sys, time, psutil
from infra.storage import open_store
from pipelines.loader import ClipLoader, LoaderConfig
from pipelines.store import Dataset
process = psutil.Process()
before, started, busy = process.memory_info().rss, time.perf_counter(), time.process_time()
loader = ClipLoader(Dataset(open_store(sys.argv[1]), "large"), "train", LoaderConfig(threads=2),
                    history=3, horizon=1, frameskip=5, batch_size=64, seed=0)
next(loader)
seconds, busy, grown = time.perf_counter() - started, time.process_time() - busy, process.memory_info().rss - before
clips = int(loader._cutter.windows.sum())
loader.close()
print(json.dumps({"clips": clips, "seconds": seconds, "cpu": busy, "megabytes": grown / 2**20}))
"""


def first_batch(folder: Path) -> dict[str, float]:
    """Returns what the first batch of dataset `large` costs a fresh process."""
    command = [sys.executable, "-c", FIRST_BATCH, str(folder)]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def million_clips(folder: Path) -> Dataset:
    """Writes a dataset of a million clips in more than a thousand shards."""
    store = open_store(str(folder))
    source = small_dataset(
        store, episodes=40, steps=1000, image_size=16, chunk_frames=50, episodes_per_shard=2, behaviour="random"
    )
    return derive(source, store, "large", repeat=34)


@pytest.mark.slow
def test_the_first_of_a_million_clips_comes_at_once(tmp_path: Path) -> None:
    dataset = million_clips(tmp_path)
    assert len(dataset.manifest.shards) > 600 and len(dataset.chunk_table("train")) > 20_000
    figures = first_batch(tmp_path)
    assert figures["clips"] > 1e6
    assert figures["megabytes"] < 300, figures  # the benchmark tells the seconds


def test_memory_is_flat(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), chunk_frames=31)
    process = psutil.Process()
    with make_loader(dataset) as loader:
        for _ in range(500):
            next(loader)
        gc.collect()
        before = process.memory_info().rss
        for _ in range(3000):
            next(loader)
        gc.collect()
        grown = process.memory_info().rss - before
    # A leak of one clip's facts a batch would be 3 MB, of one batch in a hundred 4.
    assert grown < 2.5 * 2**20


def test_memory_is_bounded_by_its_setting(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), image_size=128, chunk_frames=31)
    batch = 12 * 4 * 128 * 128 * 3
    grown = []
    for megabytes in (8, 64):
        # What earlier tests have freed must not take in what is filled here.
        ctypes.CDLL(None).malloc_trim(0)
        process, before = psutil.Process(), psutil.Process().memory_info().rss
        with make_loader(dataset, config=LoaderConfig(memory_megabytes=megabytes, threads=1)) as loader:
            next(loader)
            grown.append(_settled(process) - before)  # while nobody takes any, it fills what it may
    assert grown[0] < 8 * 2**20 + 6 * batch < grown[1] < 64 * 2**20 + 6 * batch


def _settled(process: psutil.Process) -> int:
    """Returns the memory of a process once it has not grown for two seconds."""
    sizes = [process.memory_info().rss]
    while len(sizes) < 21 or max(sizes[-20:]) > max(sizes[:-20]):
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
