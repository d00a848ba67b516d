"""Clips of a dataset with a frame of every fifth step: those of the whole one that begin at such a step."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.storage import open_store
from jepa.core.clips import Clips
from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from pipelines.loader import LoaderConfig, open_loader
from pipelines.store import Dataset
from tests.pipelines.loader.loading import clip_request, native_loader
from tests.pipelines.small_dataset import small_dataset

SIZES: dict[str, Any] = {"history": 2, "horizon": 1, "frameskip": 10}
STEPS = 20


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Episode]:
    """The train episodes with all frames."""
    whole = small_dataset(open_store(str(tmp_path_factory.mktemp("dense"))), steps=42)
    return {episode.index: episode for episode in whole.episodes("train")}


def sparse(folder: Path, **changes: Any) -> Dataset:
    """Returns the same with frames of the steps 0, 5, … 40: three chunks an episode, and clips that reach into two."""
    fields = {"steps": 42, "frame_every": 5, "chunk_frames": 3}
    return small_dataset(open_store(str(folder)), **fields | changes)


def assert_clip(clips: Clips, row: int, episode: Episode, first: int) -> None:
    frames = slice(first, first + STEPS + 1, 10)
    assert np.array_equal(clips.pixels_BTHWC[row], episode.pixels[frames])
    assert np.array_equal(clips.action_BTKA[row], episode.action[first : first + STEPS].reshape(2, 10, 2))
    assert {"agent_position", "door"} <= set(clips.state)
    for name, values in clips.state.items():
        assert np.array_equal(values[row], episode.state[name][frames])


@pytest.mark.parametrize("container", ["mds", "webdataset"])
def test_windows_are_those_of_the_whole_that_begin_at_a_frame(
    container: str, tmp_path: Path, dense: dict[int, Episode]
) -> None:
    seen: set[tuple[int, int]] = set()
    with native_loader(sparse(tmp_path, format=container), **SIZES, batch_size=5) as loader:
        for _ in range(3 * loader.batches_per_epoch()):
            where, clips = loader.first_frames(), next(loader)
            for row, (index, frame) in enumerate(where):
                assert_clip(clips, row, dense[index], 5 * frame)
            seen |= set(where)
    assert seen == {(index, frame) for index in dense for frame in range(5)}


@pytest.mark.parametrize(("kind", "container"), [("streaming", "mds"), ("webdataset", "webdataset")])
def test_official_readers_give_such_windows(
    kind: str, container: str, tmp_path: Path, dense: dict[int, Episode]
) -> None:
    every = {
        episode.state["agent_position"][first : first + STEPS + 1 : 10].tobytes(): (episode, first)
        for episode in dense.values()
        for first in range(0, 43 - STEPS, 5)
    }
    dataset = sparse(tmp_path, format=container, chunk_frames=9)
    request = clip_request(dataset, **SIZES, config=LoaderConfig(kind=kind))
    with open_loader(request) as loader:
        for _ in range(4):
            clips = next(loader)
            for row in range(len(clips.pixels_BTHWC)):
                assert_clip(clips, row, *every[clips.state["agent_position"][row].numpy().tobytes()])


def test_what_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    dataset = sparse(tmp_path)
    with pytest.raises(InputError, match=r"frameskip is 4 and dataset 'small' has a frame of every 5 steps .*take a"):
        clip_request(dataset, frameskip=4)
    with pytest.raises(InputError, match="has 0 clips of 16 frames, too few for one batch of 12"):
        native_loader(dataset, history=3, horizon=1, frameskip=25)
