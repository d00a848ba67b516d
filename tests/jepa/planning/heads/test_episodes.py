"""Episodes as latents: the train split alone, every frame once; pairs even over separations and within an episode."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from jepa.core.seeds import torch_generator
from jepa.planning.heads.episodes import LatentEpisodes, encode_episodes
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

MODEL: Any = CentroidModel()


def uneven(steps: list[int]) -> LatentEpisodes:
    """Returns episodes of these lengths whose latent is the number of the row."""
    steps_E = torch.tensor(steps)
    rows = int((steps_E + 1).sum())
    z_ND = torch.arange(rows, dtype=torch.float32)[:, None]
    return LatentEpisodes(z_ND, z_ND, {}, (steps_E + 1).cumsum(0) - steps_E - 1, steps_E)


def test_the_train_split_alone_is_read_and_every_frame_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    source = MemorySource({"train": 3, "test": 2, "validation": 1}, steps=20)
    read = []
    real = source.episodes

    def watched(split: str, limit: int | None = None) -> Iterator[Episode]:
        read.append(split)
        return real(split, limit)

    monkeypatch.setattr(source, "episodes", watched)
    data = encode_episodes(MODEL, source, 10_000)
    assert read == ["train"] and len(data.z_ND) == 3 * 21 and data.start_E.tolist() == [0, 21, 42]
    np.testing.assert_allclose(data.z_ND, data.state["agent_position"], atol=0.02)
    np.testing.assert_array_equal(data.action_NA[21:41], source.by_split["train"][1].action)
    assert len(encode_episodes(MODEL, source, 50).steps_E) == 2
    with pytest.raises(InputError, match="no 'train' episode of 5 steps or more"):
        encode_episodes(MODEL, MemorySource({"test": 1}, steps=20), 10_000)


def test_latents_that_are_not_finite_are_refused() -> None:
    model: Any = CentroidModel()
    model.encode = lambda pixels_BTHWC: torch.full((*pixels_BTHWC.shape[:2], 2), float("nan"))
    with pytest.raises(InputError, match="not all finite"):
        encode_episodes(model, MemorySource({"train": 1}, steps=20), 100)


def test_separations_are_even_and_pairs_stay_within_their_episode() -> None:
    data = uneven([4, 12, 7])
    pairs = data.pairs(30_000, 20, torch_generator(0), room=3)
    counts = torch.bincount(pairs.separation_B, minlength=13)
    assert counts[0] == 0 and len(counts) == 13
    assert ((counts[1:] - 2500).abs() < 250).all()
    ends = data.start_E + data.steps_E
    episode_B = torch.searchsorted(ends, pairs.first_B)
    assert (pairs.second_B <= ends[episode_B]).all() and (pairs.first_B + 3 <= ends[episode_B]).all()
    assert (pairs.second_B - pairs.first_B == pairs.separation_B).all()
    # Every place that fits is drawn: of 12 steps apart there is one, of 1 step apart three steps must follow.
    assert set(pairs.first_B[pairs.separation_B == 12].tolist()) == {5}
    assert set(pairs.first_B[pairs.separation_B == 1].tolist()) == {0, 1, *range(5, 15), *range(18, 23)}


def test_episodes_that_are_too_short_are_a_sentence() -> None:
    with pytest.raises(InputError, match="the longest train episode has 4 steps and 10 are needed"):
        uneven([4]).pairs(8, 4, torch_generator(0), room=10)
