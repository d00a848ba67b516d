"""Frames turned into latents: of the split asked for, each once."""

from typing import Any

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation.latents import drawn_frames, encode_split
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

MODEL: Any = CentroidModel()


def test_only_the_split_asked_for_is_encoded(source: MemorySource) -> None:
    frames = encode_split(MODEL, source, "test", 100, seed=0)
    assert len(frames.z_ND) == 100 and set(frames.episode_N) == {episode.index for episode in source.by_split["test"]}
    np.testing.assert_allclose(frames.z_ND, frames.state["agent_position"], atol=0.02)
    with pytest.raises(InputError, match="no 'train'"):
        encode_split(MODEL, MemorySource({"test": 1}), "train", 10, seed=0)


def test_as_many_frames_are_drawn_of_each_episode_and_none_twice(source: MemorySource) -> None:
    drawn = list(drawn_frames(source, "test", 60, seed=3))
    assert [len(rows) for _, rows in drawn] == [3] * 20
    assert all(len(set(rows.tolist())) == 3 and (np.diff(rows) > 0).all() for _, rows in drawn)
    again = [rows.tolist() for _, rows in drawn_frames(source, "test", 60, seed=3)]
    assert again == [rows.tolist() for _, rows in drawn]
