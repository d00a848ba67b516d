"""The same global batches whatever the workers, exact resumption, and clips that are cut right."""

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from infra.storage import open_store
from jepa.core.clips import Clips
from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from pipelines.loader import ClipLoader, LoaderConfig
from pipelines.loader.native.clip_loader import batches_in_memory
from pipelines.store import Dataset, DatasetHandle, verify
from tests.pipelines.small_dataset import small_dataset

HISTORY, HORIZON, SKIP = 3, 1, 4
STEPS = (HISTORY + HORIZON - 1) * SKIP


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """40 episodes of 31 frames in chunks of 12: a clip of 13 frames always crosses into the next chunk."""
    return small_dataset(open_store(str(tmp_path_factory.mktemp("store"))))


def make_loader(dataset: Dataset, split: str = "train", **changes: Any) -> ClipLoader:
    settings = {"history": HISTORY, "horizon": HORIZON, "frameskip": SKIP, "batch_size": 12, "seed": 0}
    config = changes.pop("config", LoaderConfig())
    return ClipLoader(dataset, split, config, **settings | changes)


def take(loader: ClipLoader, count: int) -> list[Clips]:
    with loader:
        return [next(loader) for _ in range(count)]


def same(first: Clips, second: Clips) -> bool:
    return (
        torch.equal(first.pixels_BTHWC, second.pixels_BTHWC)
        and torch.equal(first.action_BTKA, second.action_BTKA)
        and first.state.keys() == second.state.keys()
        and all(torch.equal(first.state[name], second.state[name]) for name in first.state)
    )


def part(clips: Clips, start: int, end: int) -> Clips:
    state = {name: values[start:end] for name, values in clips.state.items()}
    return Clips(clips.pixels_BTHWC[start:end], clips.action_BTKA[start:end], state)


@pytest.mark.parametrize("format", ["mds", "webdataset"])
@pytest.mark.parametrize("chunk_frames", [5, 12, 31])
def test_clips_are_those_of_the_episodes(tmp_path: Path, format: str, chunk_frames: int) -> None:
    dataset = small_dataset(open_store(str(tmp_path)), format=format, chunk_frames=chunk_frames)
    episodes: dict[int, Episode] = {episode.index: episode for episode in dataset.episodes("train")}
    with make_loader(dataset) as loader:
        for _ in range(loader.batches_per_epoch()):
            where, clips = loader.provenance(), next(loader)
            assert clips.pixels_BTHWC.dtype == torch.uint8 and clips.pixels_BTHWC.is_contiguous()
            assert clips.action_BTKA.shape == (12, HISTORY + HORIZON - 1, SKIP, 2)
            for row, (index, first) in enumerate(where):
                episode, frames = episodes[index], slice(first, first + STEPS + 1, SKIP)
                assert np.array_equal(clips.pixels_BTHWC[row], episode.pixels[frames])
                action = episode.action[first : first + STEPS].reshape(-1, SKIP, 2)
                assert np.array_equal(clips.action_BTKA[row], action)
                for name, values in clips.state.items():
                    assert np.array_equal(values[row], episode.state[name][frames])


def test_every_window_of_every_episode_is_reached(dataset: Dataset) -> None:
    seen: set[tuple[int, int]] = set()
    with make_loader(dataset) as loader:
        for epoch in range(12):
            for batch in range(loader.batches_per_epoch(epoch)):
                loader.seek({"epoch": epoch, "batch": batch})
                seen |= set(loader.provenance())
    episodes = [episode.index for episode in dataset.episodes("train")]
    assert seen == {(index, first) for index in episodes for first in range(31 - STEPS)}


@pytest.mark.parametrize("workers", [2, 3, 4, 12])
def test_workers_share_the_same_global_batches(dataset: Dataset, workers: int) -> None:
    count = make_loader(dataset).batches_per_epoch() + 3
    whole = take(make_loader(dataset), count)
    size = 12 // workers
    for rank in range(workers):
        parts = take(make_loader(dataset, rank=rank, world_size=workers), count)
        starts = rank * size, (rank + 1) * size
        assert all(same(theirs, part(ours, *starts)) for ours, theirs in zip(whole, parts, strict=True))


@pytest.mark.parametrize("stop", [1, 5, 44, 45, 46])
def test_resuming_continues_exactly_on_other_workers(dataset: Dataset, stop: int) -> None:
    whole = take(make_loader(dataset), stop + 4)
    loader = make_loader(dataset, rank=1, world_size=2)
    take(loader, stop)
    position = loader.position()
    assert all(isinstance(value, int) for value in position.values())
    resumed = make_loader(dataset, rank=2, world_size=3)
    resumed.seek(position)
    assert resumed.position() == position
    assert all(same(ours, part(theirs, 8, 12)) for ours, theirs in zip(take(resumed, 4), whole[stop:], strict=True))


def test_the_position_counts_what_was_taken_and_not_what_was_prefetched(dataset: Dataset) -> None:
    with make_loader(dataset) as loader:
        last = loader.batches_per_epoch() - 1
        next(loader)
        assert loader.position() == {"epoch": 0, "batch": 1}
        loader.seek({"epoch": 0, "batch": last})
        next(loader)
        assert loader.position() == {"epoch": 1, "batch": 0}


def test_how_it_is_read_does_not_change_what_is_read(dataset: Dataset) -> None:
    configs = [LoaderConfig(), LoaderConfig(threads=1), LoaderConfig(threads=7), LoaderConfig(memory_megabytes=1)]
    # At 1 MB only a few batches are in memory, so that chunks are decoded again for the later ones.
    assert batches_in_memory(configs[3], 12 * 4 * 32 * 32 * 3, 16) == 7
    first, *others = (take(make_loader(dataset, config=config), 60) for config in configs)
    assert all(same(a, b) for other in others for a, b in zip(first, other, strict=True))
    assert not same(first[0], take(make_loader(dataset, seed=1), 1)[0])


def test_no_test_frame_is_ever_seen_in_training(dataset: Dataset) -> None:
    def digest(pixels: np.ndarray, *state: np.ndarray) -> bytes:
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in (pixels, *state))).digest()

    held, held_episodes = set(), set()
    for split in ("validation", "test", "unseen"):
        for episode in dataset.episodes(split):
            state = [episode.state[name] for name in sorted(episode.state)]
            held |= {digest(episode.pixels[t], *(values[t] for values in state)) for t in range(episode.steps + 1)}
            held_episodes.add(episode.index)
    assert len(held) > 300
    seen, seen_episodes = set(), set()
    with make_loader(dataset) as loader:
        for _ in range(3 * loader.batches_per_epoch()):
            seen_episodes |= {index for index, _ in loader.provenance()}
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
        make_loader(dataset, "validation", batch_size=40)
    with pytest.raises(InputError, match="has 0 clips of 37 frames"):
        make_loader(dataset, frameskip=12)
    with pytest.raises(InputError, match="batch_size 12 is less than workers 13; take fewer workers"):
        make_loader(dataset, world_size=13)


def test_an_empty_split_is_no_accident(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    dataset = small_dataset(store, unseen_share=0.0)
    assert dataset.count("unseen") == 0 and list(dataset.episodes("unseen")) == []
    assert verify(DatasetHandle(store, "small")).ok
    with pytest.raises(InputError, match="split 'unseen' of dataset 'small' has 0 clips"):
        make_loader(dataset, "unseen")


def test_a_batch_that_is_kept_stays_as_it_was(dataset: Dataset) -> None:
    with make_loader(dataset) as loader:
        kept = next(loader)
        view = kept.pixels_BTHWC[3, 1:]
        before, part_before = kept.pixels_BTHWC.clone(), view.clone()
        del kept
        for _ in range(30):
            next(loader)
        assert torch.equal(view, part_before) and torch.equal(view, before[3, 1:])


def test_more_slots_than_chunks_still_fill_a_batch(dataset: Dataset) -> None:
    loader = make_loader(dataset, "validation", batch_size=36)
    assert loader.batches_per_epoch() == 1 and len(set(loader.provenance())) == 36


def test_nothing_runs_on_after_close(dataset: Dataset) -> None:
    def running() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "loader"]

    assert not running()
    loader = make_loader(dataset)
    next(loader)
    assert running()
    loader.close()
    assert not running()
    next(loader)
    del loader
    assert not running()
