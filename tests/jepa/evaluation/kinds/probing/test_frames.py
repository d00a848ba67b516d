"""Frames that are encoded once, with those before them, and what a rollout gets of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jepa.evaluation.kinds.probing.frames import Amount, gather
from jepa.evaluation.kinds.probing.predicted import predicted, reach
from jepa.evaluation.latents import encode_split
from jepa.models.world_model import ModelConfig
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

MODEL: Any = CentroidModel()


class Watching(nn.Module):
    """Latent = the mean brightness of a frame; keeps what a rollout is given, and predicts the number of its blocks."""

    def __init__(self, history: int) -> None:
        super().__init__()
        self.config = ModelConfig(latent_size=1, history=history)
        self.unused = nn.Parameter(torch.zeros(1))
        self.given: list[tuple[Tensor, Tensor, Tensor]] = []

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        return pixels_BTHWC.float().mean((2, 3, 4))[..., None]

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor) -> Tensor:
        self.given.append((z_BTD, action_BHKA, past_action_BTKA))
        return torch.arange(1.0, action_BHKA.shape[1] + 1)[None, :, None].expand(len(z_BTD), -1, -1)


def test_drawn_frames_and_their_latents_are_those_of_encode_split(source: MemorySource) -> None:
    frames = gather(MODEL, source, "test", Amount(drawn=300, compared=40, lags=5), seed=3)
    expected = encode_split(MODEL, source, "test", 300, seed=3)
    np.testing.assert_allclose(frames.z_MD[frames.drawn_N], expected.z_ND, atol=1e-6)
    np.testing.assert_array_equal(frames.episode_M[frames.drawn_N], expected.episode_N)
    np.testing.assert_array_equal(frames.row_M[frames.drawn_N], expected.row_N)
    for name, value in frames.state_at(frames.drawn_N).items():
        np.testing.assert_array_equal(value, expected.state[name])


def test_a_compared_frame_comes_with_those_before_it_and_none_is_encoded_twice(source: MemorySource) -> None:
    frames = gather(MODEL, source, "test", Amount(drawn=300, compared=45, lags=4), seed=0)
    assert frames.lag_NL.shape == (45, 5) and frames.reaching(4).all() and not frames.reaching(5).any()
    rows, episodes = frames.row_M[frames.lag_NL], frames.episode_M[frames.lag_NL]
    np.testing.assert_array_equal(rows[:, :1] - rows, np.broadcast_to(5 * np.arange(5), rows.shape))
    assert (episodes == episodes[:, :1]).all() and np.isin(frames.lag_NL[:, 0], frames.drawn_N).all()
    pairs = np.stack([frames.episode_M, frames.row_M])
    assert len(np.unique(pairs, axis=1).T) == pairs.shape[1]
    np.testing.assert_array_equal(frames.window(frames.lag_NL[:, [2, 0]])[:, 2:], frames.z_MD[frames.lag_NL[:, 0]])


def test_a_rollout_starts_from_the_true_history_and_takes_the_recorded_actions(source: MemorySource) -> None:
    model: Any = Watching(history=3)
    frames = gather(model, source, "test", Amount(drawn=200, compared=30, lags=6), seed=0)
    every = np.ones(len(frames.lag_NL), dtype=bool)
    assert reach(frames, 3, wanted=9) == 4
    found = predicted(model, frames, every, 4)
    np.testing.assert_array_equal(found, np.full((30, 1), 4.0))
    ((z_BTD, action_BHKA, past_BTKA),) = model.given
    episodes = {episode.index: episode for episode in source.by_split["test"]}
    for n in range(30):
        place = frames.lag_NL[n, 0]
        episode, row = episodes[frames.episode_M[place]], int(frames.row_M[place])
        seen = [row - 30, row - 25, row - 20]
        np.testing.assert_allclose(z_BTD[n, :, 0], episode.pixels[seen].mean((1, 2, 3)), rtol=1e-4)
        np.testing.assert_array_equal(past_BTKA[n].flatten(0, 1), episode.action[row - 30 : row - 20])
        np.testing.assert_array_equal(action_BHKA[n].flatten(0, 1), episode.action[row - 20 : row])


def test_no_look_ahead_are_the_latents_themselves(source: MemorySource) -> None:
    frames = gather(MODEL, source, "test", Amount(drawn=200, compared=30, lags=2), seed=0)
    chosen = np.arange(len(frames.lag_NL)) % 2 == 0
    np.testing.assert_array_equal(predicted(MODEL, frames, chosen, 0), frames.z_MD[frames.lag_NL[chosen, 0]])


def test_how_far_is_predicted_is_what_half_of_the_episodes_reach() -> None:
    source = MemorySource({"test": 3}, steps=12)
    longer = MemorySource({"test": 2}, steps=40).by_split["test"]
    source.by_split["test"] += [replace(episode, index=10 + episode.index) for episode in longer]
    frames = gather(MODEL, source, "test", Amount(drawn=60, compared=30, lags=5), seed=0)
    assert reach(frames, 1, wanted=5) == 2
    source.by_split["test"] = source.by_split["test"][2:]
    frames = gather(MODEL, source, "test", Amount(drawn=60, compared=30, lags=5), seed=0)
    assert reach(frames, 1, wanted=5) == 5 and reach(frames, 1, wanted=0) == 0
