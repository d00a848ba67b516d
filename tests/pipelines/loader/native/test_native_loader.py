"""The same global batches whatever the workers and the settings, and exact resumption."""

import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from infra.storage import open_store
from jepa.core.clips import Clips
from jepa.core.errors import InputError
from pipelines.loader import LoaderConfig
from pipelines.loader.counters import STAGES
from pipelines.loader.native.buffers import BatchArrays, BatchBuffers
from pipelines.store import Dataset, DatasetHandle, verify
from tests.pipelines.loader.loading import BATCH, FRAMESKIP, STEPS, all_same, native_loader, part, same, take
from tests.pipelines.small_dataset import small_dataset


def test_clips_are_those_of_the_episodes(dataset: Dataset) -> None:
    episodes = {episode.index: episode for episode in dataset.episodes("train")}
    with native_loader(dataset) as loader:
        for _ in range(loader.batches_per_epoch()):
            where, clips = loader.first_frames(), next(loader)
            assert clips.pixels_BTHWC.shape == (BATCH, 4, 32, 32, 3) and clips.pixels_BTHWC.is_contiguous()
            assert clips.action_BTKA.shape == (BATCH, 3, FRAMESKIP, 2)
            for row, (index, first) in enumerate(where):
                episode, frames = episodes[index], slice(first, first + STEPS + 1, FRAMESKIP)
                assert np.array_equal(clips.pixels_BTHWC[row], episode.pixels[frames])
                action = episode.action[first : first + STEPS].reshape(-1, FRAMESKIP, 2)
                assert np.array_equal(clips.action_BTKA[row], action)
                for name, values in clips.state.items():
                    assert np.array_equal(values[row], episode.state[name][frames])


def test_every_window_of_every_episode_is_reached(dataset: Dataset) -> None:
    seen: set[tuple[int, int]] = set()
    with native_loader(dataset) as loader:
        for epoch in range(12):
            for batch in range(loader.batches_per_epoch(epoch)):
                loader.seek({"epoch": epoch, "batch": batch})
                seen |= set(loader.first_frames())
    episodes = [episode.index for episode in dataset.episodes("train")]
    assert seen == {(index, first) for index in episodes for first in range(31 - STEPS)}


@pytest.mark.parametrize("workers", [2, 5, 12])
def test_workers_share_the_same_global_batches(dataset: Dataset, expected: list[Clips], workers: int) -> None:
    ends = [rank * BATCH // workers for rank in range(workers + 1)]
    for rank in range(workers):
        parts = take(native_loader(dataset, rank=rank, world_size=workers), len(expected))
        assert all_same(parts, [part(whole, ends[rank], ends[rank + 1]) for whole in expected])


@pytest.mark.parametrize("stop", [1, 46, 47])
def test_resuming_continues_exactly_on_other_workers(dataset: Dataset, expected: list[Clips], stop: int) -> None:
    assert native_loader(dataset).batches_per_epoch() == 47
    loader = native_loader(dataset, rank=1, world_size=2)
    take(loader, stop)
    position = loader.position()
    assert all(isinstance(value, int) for value in position.values())
    resumed = native_loader(dataset, rank=2, world_size=3)
    resumed.seek(position)
    assert resumed.position() == position
    assert all_same(take(resumed, 3), [part(whole, 8, 12) for whole in expected[stop : stop + 3]])


def test_the_position_counts_what_was_taken_and_not_what_was_prefetched(dataset: Dataset) -> None:
    with native_loader(dataset) as loader:
        last = loader.batches_per_epoch() - 1
        next(loader)
        assert loader.position() == {"epoch": 0, "batch": 1}
        loader.seek({"epoch": 0, "batch": last})
        next(loader)
        assert loader.position() == {"epoch": 1, "batch": 0}


@pytest.mark.parametrize("changes", [{"threads": 1}, {"threads": 7}, {"memory_megabytes": 1}], ids=str)
def test_how_it_is_read_does_not_change_what_is_read(
    dataset: Dataset, expected: list[Clips], changes: dict[str, int]
) -> None:
    # At 1 MB only a few batches are in memory, so that chunks are decoded again for the later ones.
    assert all_same(take(native_loader(dataset, config=LoaderConfig(**changes)), len(expected)), expected)


def test_other_seeds_give_other_batches(dataset: Dataset, expected: list[Clips]) -> None:
    assert not same(expected[0], take(native_loader(dataset, seed=1), 1)[0])


def test_no_test_frame_is_ever_seen_in_training(dataset: Dataset) -> None:
    def digest(pixels: NDArray[Any], *state: NDArray[Any]) -> bytes:
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in (pixels, *state))).digest()

    held, held_episodes = set(), set()
    for split in ("validation", "test", "unseen"):
        for episode in dataset.episodes(split):
            state = [episode.state[name] for name in sorted(episode.state)]
            held |= {digest(episode.pixels[t], *(values[t] for values in state)) for t in range(episode.steps + 1)}
            held_episodes.add(episode.index)
    assert len(held) > 300
    seen, seen_episodes = set(), set()
    with native_loader(dataset) as loader:
        for _ in range(3 * loader.batches_per_epoch()):
            seen_episodes |= {index for index, _ in loader.first_frames()}
            clips = next(loader)
            state = [clips.state[name].numpy() for name in sorted(clips.state)]
            pixels = clips.pixels_BTHWC.numpy()
            rows = [(b, t) for b in range(pixels.shape[0]) for t in range(pixels.shape[1])]
            seen |= {digest(pixels[b, t], *(values[b, t] for values in state)) for b, t in rows}
    assert len(seen_episodes) == dataset.count("train") and not seen_episodes & held_episodes
    assert len(seen) > 900 and not seen & held
    # The digests would find one: those of the train episodes are found.
    episode = next(dataset.episodes("train", 1))
    assert digest(episode.pixels[9], *(episode.state[name][9] for name in sorted(episode.state))) in seen


def test_a_split_too_small_for_a_batch_is_refused(dataset: Dataset) -> None:
    with pytest.raises(InputError, match=r"'validation' .* has 38 clips of 13 frames, too few for one batch of 40"):
        native_loader(dataset, "validation", batch_size=40)
    with pytest.raises(InputError, match="has 0 clips of 37 frames"):
        native_loader(dataset, frameskip=12)
    with pytest.raises(InputError, match="batch_size 12 is less than workers 13; take fewer workers"):
        native_loader(dataset, world_size=13)


def test_an_empty_split_is_no_accident(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    dataset = small_dataset(store, unseen_share=0.0)
    assert (
        dataset.count("unseen") == 0
        and list(dataset.episodes("unseen")) == []
        and verify(DatasetHandle(store, "small")).ok
    )
    with pytest.raises(InputError, match="split 'unseen' of dataset 'small' has 0 clips"):
        native_loader(dataset, "unseen")


def test_a_batch_that_is_kept_stays_as_it_was(dataset: Dataset) -> None:
    with native_loader(dataset) as loader:
        kept = next(loader)
        view = kept.pixels_BTHWC[3, 1:]
        before, part_before = kept.pixels_BTHWC.clone(), view.clone()
        del kept
        for _ in range(30):
            next(loader)
        assert torch.equal(view, part_before) and torch.equal(view, before[3, 1:])


def test_more_slots_than_chunks_still_fill_a_batch(dataset: Dataset) -> None:
    loader = native_loader(dataset, "validation", batch_size=36)
    assert loader.batches_per_epoch() == 1 and len(set(loader.first_frames())) == 36


def test_more_workers_than_chunks(tmp_path: Path) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), episodes=20, chunk_frames=31)
    workers = len(dataset.chunk_table("train")) + 9
    counts = []
    for rank in (0, workers - 1):
        with native_loader(dataset, batch_size=workers, rank=rank, world_size=workers) as loader:
            counts.append(sum(len(next(loader).pixels_BTHWC) for _ in range(2 * loader.batches_per_epoch())))
    assert counts[0] == counts[1] > 0


def test_an_epoch_always_has_a_batch(tmp_path: Path) -> None:
    # 19 windows in each of 15 chunks: a batch of all clips leaves no room for several rounds.
    dataset = small_dataset(open_store(str(tmp_path)), episodes=20, chunk_frames=31)
    config = LoaderConfig(windows_per_chunk=1)
    clips = native_loader(dataset, config=config).clips
    with native_loader(dataset, batch_size=clips, config=config) as loader:
        assert loader.batches_per_epoch() == 1
        assert len(set(loader.first_frames())) == clips == len(next(loader).pixels_BTHWC)


def test_every_stage_is_counted(dataset: Dataset) -> None:
    with native_loader(dataset, config=LoaderConfig(threads=2)) as loader:
        assert loader.counters().clips == 0 and loader.counters().wait_share == 0
        for _ in range(20):
            next(loader)
        counters = loader.counters()
        assert counters.batches == 20 and counters.clips >= 20 * BATCH
        # Clips of 13 frames in chunks of 12: each needs two chunks, and several clips share them.
        assert 2 * counters.clips / 8 < counters.chunks < 2 * counters.clips
        assert counters.fetched_bytes > 0 and counters.requests == 0 and counters.damaged_chunks == 0
        assert 0 < counters.wait_share <= 1
        costs = counters.cpu_microseconds_per_clip()
        assert set(costs) == {*STAGES, "all"} and all(cost > 0 for cost in costs.values())
        assert costs["all"] == pytest.approx(sum(costs[stage] for stage in STAGES))
        before = loader.counters().clips
        loader.close()
        assert loader.counters().clips >= before
        next(loader)
        assert loader.counters().batches == 21


@pytest.mark.parametrize("pin", [True, False])
def test_memory_is_pinned_for_a_gpu_alone(dataset: Dataset, pin: bool) -> None:
    with native_loader(dataset, config=LoaderConfig(pin_memory=pin)) as loader:
        clips = next(loader)
    parts = [clips.pixels_BTHWC, clips.action_BTKA, *clips.state.values()]
    assert {part.is_pinned() for part in parts} == {pin and torch.cuda.is_available()}


def test_an_error_of_a_thread_ends_the_iteration(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError("no memory for a batch")

    monkeypatch.setattr("pipelines.loader.native.buffers.BatchBuffers.take", no_memory)
    with native_loader(dataset) as loader, pytest.raises(MemoryError, match="no memory for a batch"):
        next(loader)


def test_where_no_thread_can_be_started_nothing_is_left(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_threads(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    closed: list[bool] = []
    loader = native_loader(dataset)
    monkeypatch.setattr(loader._fetcher, "close", lambda wait=True: closed.append(wait))
    with monkeypatch.context() as broken:
        broken.setattr("threading.Thread.start", no_threads)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            next(loader)
    assert closed
    with loader:
        next(loader)  # and now it can


def test_nothing_runs_on_after_close(dataset: Dataset) -> None:
    def running() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "loader"]

    assert not running()
    loader = native_loader(dataset)
    next(loader)
    assert running()
    loader.close()
    assert not running()
    next(loader)
    del loader
    assert not running()


@pytest.mark.filterwarnings(
    "error::pytest.PytestUnraisableExceptionWarning", "error::pytest.PytestUnhandledThreadExceptionWarning"
)
def test_a_loader_that_is_dropped_in_a_thread_of_its_own_ends(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaders = [native_loader(dataset)]
    take_batch = BatchBuffers.take

    def dropping(buffers: BatchBuffers) -> tuple[Clips, BatchArrays]:
        assert made.wait(60)
        loaders.clear()  # the last reference, in a thread that holds the lock
        return take_batch(buffers)

    made = threading.Event()
    monkeypatch.setattr(BatchBuffers, "take", dropping)
    loaders[0]._pipeline = loaders[0]._start()
    made.set()
    deadline = time.monotonic() + 20
    while any(thread.name == "loader" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not loaders and not any(thread.name == "loader" for thread in threading.enumerate())
