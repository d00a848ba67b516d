"""Draws of the counting world: the transitions are the world's, and held-out draws are none of training's."""

import pytest
import torch

from jepa.studies.auxiliary import samples as module
from jepa.studies.auxiliary.samples import COUNTS, Pictures, Samples, Vectors


@pytest.fixture(autouse=True)
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKS", 5)


@pytest.mark.parametrize("kind", [Vectors, Pictures])
def test_transitions_are_those_of_the_world_and_a_function_of_the_seed(kind: type[Samples]) -> None:
    one, same, other = (kind(seed).transitions(300) for seed in (3, 3, 4))
    expected = (one.count_B + one.action_B1[:, 0].long()).clamp(0, 8)
    torch.testing.assert_close(one.next_count_B, expected)
    assert set(one.action_B1.unique().tolist()) == {-1, 1} and set(one.count_B.tolist()) == set(range(COUNTS))
    torch.testing.assert_close(one.reward_M1[:, 0], (torch.cat([one.count_B, one.next_count_B]) == 4).float())
    torch.testing.assert_close(one.observation_M, same.observation_M)
    assert one.observation_M.shape == other.observation_M.shape and (one.observation_M != other.observation_M).any()


def test_a_picture_shows_its_count_in_one_colour_before_and_after() -> None:
    batch = Pictures(0).transitions(60)
    before, after = batch.before_B, batch.after_B
    assert before.shape == (60, 3, 64, 64) and before.min() >= 0 and before.max() <= 1
    empty = batch.count_B == 0
    assert not before[empty].any() and before[~empty].amax(dim=(1, 2, 3)).min() > 0.8
    both = (batch.count_B > 0) & (batch.next_count_B > 0)
    torch.testing.assert_close(before[both].amax(dim=(2, 3)), after[both].amax(dim=(2, 3)), atol=0.05, rtol=0)
    assert (before[both] != after[both]).flatten(1).any(1).all()


def test_the_nuisances_of_a_picture_are_its_centroid_and_colour() -> None:
    drawn = Pictures(0).labelled(6, "held-out")
    frames, shown = drawn.observation_M, drawn.count_M > 0
    mass = frames.amax(1)[shown]
    middle = (torch.arange(64) + 0.5) / 64
    x, y = ((mass.sum(axis) @ middle) / mass.sum((1, 2)) for axis in (1, 2))
    torch.testing.assert_close(torch.stack([x, y], 1), drawn.nuisance_Md[shown, :2], atol=0.02, rtol=0)
    torch.testing.assert_close(frames[shown].amax((2, 3)), drawn.nuisance_Md[shown, 2:], atol=0.05, rtol=0)


def test_draws_for_judging_are_of_streams_of_their_own() -> None:
    vectors = Vectors(0)
    one, other = vectors.labelled(4, "centroids"), vectors.labelled(4, "held-out")
    assert (one.nuisance_Md != other.nuisance_Md).all() and (one.count_M == other.count_M).all()
    vectors.transitions(5)
    torch.testing.assert_close(vectors.labelled(4, "centroids").observation_M, one.observation_M)
