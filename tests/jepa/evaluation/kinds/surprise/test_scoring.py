"""Scoring: errors of predictions one block and several ahead, and what is usual at a frame."""

import numpy as np
import pytest

from jepa.evaluation.kinds.surprise.replays import replaying
from jepa.evaluation.kinds.surprise.scoring import Usual, latents, surprises
from tests.jepa.evaluation.standins import CentroidModel, MemorySource


@pytest.mark.parametrize("ahead", [1, 3])
def test_surprise_is_the_mean_squared_error_of_the_prediction(ahead: int) -> None:
    model, episode = CentroidModel(), MemorySource({"test": 2}).by_split["test"][1]
    with replaying([episode], "two_room", {}, 5, 6) as replays:
        replay = replays.untouched()
    surprise = surprises(model, latents(model, replay.pixels_NTHWC), replay.action_NTKA, ahead)  # type: ignore[arg-type]
    position = episode.state["agent_position"][:61:5]
    moved = 0.03 * episode.action[:60].reshape(12, 5, 2).sum(1)
    way = np.stack([moved[start : start + ahead].sum(0) for start in range(13 - ahead)])
    expected = ((position[:-ahead] + way - position[ahead:]) ** 2).mean(1)
    np.testing.assert_allclose(surprise[0, ahead - 1 :], expected, atol=4e-3)
    assert np.isnan(surprise[0, : ahead - 1]).all()


def test_surprise_is_compared_with_that_of_the_same_frame() -> None:
    rng = np.random.default_rng(0)
    level = np.array([1e-4, 1e-2, 1.0])
    usual = Usual(list(level * rng.lognormal(0, 0.5, (4000, 3))))
    np.testing.assert_allclose(usual.normalised(level * np.exp([[0.5, 0.0, -1.0]])), [[1, 0, -2]], atol=0.06)
    np.testing.assert_allclose(usual.normalised(np.array([[1e-2]]), first=1), [[0]], atol=0.06)
    # Frames that no episode showed are held against all frames together, where 1e-2 is the middle.
    assert abs(usual.normalised(np.array([[1e-2]]), first=9)[0, 0]) < 0.05


def test_an_episode_is_no_measure_of_itself() -> None:
    rng = np.random.default_rng(1)
    held = list(rng.lognormal(0, 1, (6, 4)))
    held[2] = held[2][:2]
    found = Usual(held).of_themselves()
    for n, own in enumerate(held):
        others = Usual([one for place, one in enumerate(held) if place != n])
        np.testing.assert_allclose(found[n, : len(own)], others.normalised(own), atol=1e-5)
    assert np.isnan(found[2, 2:]).all()


def test_surprises_that_are_all_alike_are_all_usual() -> None:
    usual = Usual([np.full(5, 0.1) * (1 + 1e-16 * n) for n in range(9)])
    assert (usual.of_themselves() == 0).all() and (usual.normalised(np.full((1, 5), 0.1)) == 0).all()
    assert (Usual([np.zeros(5)] * 4).normalised(np.zeros((1, 5))) == 0).all()
