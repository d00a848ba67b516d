"""What a loader says of its own work adds up."""

from pathlib import Path

import pytest
import torch

from infra.storage import open_store
from pipelines.loader import LoaderConfig
from pipelines.loader.counters import STAGES, LoaderCounters
from tests.pipelines.loader.test_loader import make_loader
from tests.pipelines.small_dataset import small_dataset


def test_every_stage_is_counted(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)))
    with make_loader(dataset, config=LoaderConfig(threads=2)) as loader:
        assert loader.counters().clips == 0 and loader.counters().wait_share == 0
        for _ in range(20):
            next(loader)
        counters = loader.counters()
        assert counters.batches == 20 and counters.clips >= 20 * 12
        # Clips of 13 frames in chunks of 12: each needs two chunks, and several clips share them.
        assert 2 * counters.clips / 8 < counters.chunks < 2 * counters.clips
        assert counters.fetched_bytes > 0 and counters.requests == 0 and counters.damaged_chunks == 0
        assert 0 < counters.wait_share <= 1
        costs = counters.cpu_microseconds_a_clip()
        assert set(costs) == {*STAGES, "all"} and all(cost > 0 for cost in costs.values())
        assert costs["all"] == pytest.approx(sum(costs[stage] for stage in STAGES))
        before = loader.counters().clips
        loader.close()
        assert loader.counters().clips >= before
        next(loader)
        assert loader.counters().batches == 21


def test_waiting_is_measured_from_the_first_batch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.perf_counter", lambda: now)
    counters = LoaderCounters()
    now += 50  # before the first batch nobody waits
    with counters.waited():
        now += 3
    now += 5  # a training step
    with counters.waited():
        now += 1
    now += 7
    assert counters.until_now().wait_seconds == 4 and counters.until_now().wait_share == 4 / 16
    with pytest.raises(KeyError), counters.waited():
        now += 16
        raise KeyError  # what ends in an error was waited for, too
    assert counters.until_now().wait_share == 20 / 32


@pytest.mark.parametrize("pin", [True, False])
def test_memory_is_pinned_for_a_gpu_alone(tmp_path: Path, pin: bool) -> None:
    dataset = small_dataset(open_store(str(tmp_path)))
    with make_loader(dataset, config=LoaderConfig(pin_memory=pin)) as loader:
        clips = next(loader)
    pinned = [clips.pixels_BTHWC.is_pinned(), clips.action_BTKA.is_pinned()]
    assert pinned == 2 * [pin and torch.cuda.is_available()]
    assert clips.pixels_BTHWC.is_contiguous() and clips.pixels_BTHWC.dtype == torch.uint8


def test_threads_are_this_process_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(12)))
    assert LoaderConfig().thread_count() == 8 and LoaderConfig(threads=3).thread_count() == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert LoaderConfig().thread_count() == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "64")
    assert LoaderConfig().thread_count() == 1


def test_the_cache_lies_where_caches_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert LoaderConfig().cache_path() == tmp_path / "jepa" / "shards"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert LoaderConfig().cache_path() == Path.home() / ".cache" / "jepa" / "shards"
    assert LoaderConfig(cache_folder="~/here").cache_path() == Path.home() / "here"
