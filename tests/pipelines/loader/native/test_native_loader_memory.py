"""A million clips open as fast as a thousand, and memory neither grows with the batches nor passes its bound."""

import ctypes
import time
from pathlib import Path

import psutil
import pytest

from infra.storage import open_store
from pipelines.loader import LoaderConfig
from tests.pipelines.loader.derived import million_clips
from tests.pipelines.loader.loading import native_loader
from tests.pipelines.loader.measured import measured
from tests.pipelines.small_dataset import small_dataset


@pytest.mark.slow
def test_the_first_of_a_million_clips_comes_at_once(tmp_path: Path) -> None:
    dataset = million_clips(open_store(str(tmp_path)))
    assert len(dataset.manifest.shards) > 600 and len(dataset.chunk_table("train")) > 20_000
    figures = measured("first_batch", str(tmp_path))
    assert figures["clips"] > 1e6
    assert figures["megabytes"] < 300, figures  # the benchmark prints the seconds


@pytest.mark.slow
def test_memory_is_flat(tmp_path: Path) -> None:
    small_dataset(open_store(str(tmp_path)), chunk_frames=31)
    # A leak of one clip's values a batch would be 6 MB, of one batch in a hundred 8.
    assert measured("many_batches", str(tmp_path))["megabytes"] < 5


def test_memory_is_bounded_by_its_setting(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), image_size=128, chunk_frames=31)
    batch = 12 * 4 * 128 * 128 * 3
    bounds = [megabytes * 2**20 + 6 * batch for megabytes in (8, 64)]
    grown = []
    for megabytes, least in ((8, 0), (64, bounds[0])):
        # What earlier tests have freed must not take in what is filled here.
        ctypes.CDLL(None).malloc_trim(0)
        process, before = psutil.Process(), psutil.Process().memory_info().rss
        with native_loader(dataset, config=LoaderConfig(memory_megabytes=megabytes, threads=1)) as loader:
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
