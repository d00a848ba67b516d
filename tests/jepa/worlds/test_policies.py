"""Policies that act in any world, their noise, and names that do not fit a world."""

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.worlds import POLICIES, make_policy, make_world
from jepa.worlds.policies import NOISE_STEPS, Noise, RandomWalk


def normal(rng: np.random.Generator, steps: int) -> np.ndarray:  # type: ignore[type-arg]
    return rng.standard_normal((steps, 2), dtype=np.float32)


def test_noise_is_each_episode_s_own_however_it_is_drawn() -> None:
    together, alone = Noise([3, 4], normal), Noise([4], normal)
    drawn = np.stack([together.next() for _ in range(2 * NOISE_STEPS + 5)])
    np.testing.assert_array_equal(drawn[:, 1], np.stack([alone.next() for _ in range(len(drawn))])[:, 0])
    whole = normal(np.random.default_rng([3, 1]), 3 * NOISE_STEPS)
    np.testing.assert_array_equal(drawn[:, 0], whole[: len(drawn)])


def test_a_random_walk_is_smooth_and_fills_the_action_range() -> None:
    world = make_world("two_room", 64, image_size=16)
    walk = RandomWalk()
    walk.begin(world, range(64))
    actions = np.stack([walk.act(world) for _ in range(200)])
    assert actions.dtype == np.float32 and np.abs(actions).max() <= 1
    inside = (np.abs(actions[1:]) < 1) & (np.abs(actions[:-1]) < 1)
    assert np.corrcoef(actions[:-1][inside], actions[1:][inside])[0, 1] > 0.8
    assert abs(actions.mean()) < 0.05 and 0.4 < actions.std() < 0.8


def test_a_policy_of_another_world_is_refused_with_those_that_fit() -> None:
    with pytest.raises(
        InputError, match="'pusht/expert' does not act in world 'two_room'; choose one of: oracle, random"
    ):
        make_policy("pusht/expert", "two_room")
    with pytest.raises(InputError, match="policy 'dance' is not known"):
        make_policy("dance", "two_room")


def test_every_policy_can_be_closed_without_having_begun() -> None:
    for name in POLICIES:
        POLICIES.get(name)().close()
