"""What the base of all worlds does: reset and step with goals, goal kinds, inputs that are refused in one sentence."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.worlds import WORLDS, make_world
from jepa.worlds.policies import make_policy


def test_step_rewards_a_goal_and_truncates_at_the_episodes_length() -> None:
    world = make_world("two_room", 2)
    world.reset(seed=0)
    goal = world.state()
    goal["agent_position"][1] = 1 - goal["agent_position"][1]
    world.reset(seed=0, options={"goal": goal})
    still = np.zeros((2, 2), dtype=np.float32)
    _, reward, terminated, truncated, _ = world.step(still)
    np.testing.assert_allclose(reward, -world.distance(goal, "uniform"))
    np.testing.assert_array_equal(terminated, [True, False])
    for _ in range(world.world_spec.episode_steps - 1):
        assert not truncated.any()
        *_, truncated, _ = world.step(still)
    assert truncated.all()


def test_many_copies_take_no_memory_for_the_bounds_of_their_pixels() -> None:
    tracemalloc.start()
    try:
        world = make_world("two_room", 2048)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert world.observation_space.shape == (2048, 64, 64, 3) and world.observation_space is world.observation_space
    assert world.action_space.shape == (2048, 2)


def test_reset_takes_variations_and_unseen() -> None:
    world = make_world("two_room", 2)
    _, info = world.reset(seed=0, options={"variations": [{"door": 0.25}, {"door": 0.75}]})
    np.testing.assert_allclose(info["door"][:, 0], [0.25, 0.75])
    _, info = world.reset(seed=0, options={"unseen": True})
    (factor,) = world.world_spec.factors
    assert all(any(low <= door <= high for low, high in factor.held_out) for door in info["door"][:, 0])


def test_every_worlds_specification_is_there_without_making_one() -> None:
    for name in WORLDS:
        spec = WORLDS.get(name).world_spec
        assert spec.name == name and spec.goal_kind_names[0] == "uniform"
        assert sum(spec.policy.values()) == pytest.approx(1)
        for policy in spec.policy:
            make_policy(policy, name)


@pytest.mark.parametrize(
    ("name", "count", "options", "message"),
    [
        ("three_rooms", 1, {}, "world 'three_rooms' is not known; choose one of: counting, cube, "),
        ("three_rooms", 1, {}, "two_room, gymnasium:<id of a Gymnasium environment>"),
        ("two_room", 1, {"gravity": 9.8}, "world 'two_room' has no option 'gravity'; it takes: image_size"),
        ("two_room", 1, {"image_size": 4}, "image_size is 4"),
        ("two_room", 1, {"image_size": "big"}, "image_size is 'big'"),
        ("two_room", 0, {}, "num_envs is 0"),
        ("pusht", 1, {"image_size": -1}, "image_size is -1"),
    ],
)
def test_a_wrong_input_is_named(name: str, count: int, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        make_world(name, count, **options)
    assert message in str(raised.value)


def test_seeds_must_be_one_for_each_copy() -> None:
    with pytest.raises(InputError, match="seed has 1 entries"):
        make_world("two_room", 2).reset(seed=[1])


def test_a_goal_kind_is_looked_up_by_its_name() -> None:
    spec = WORLDS.get("pusht").world_spec
    assert spec.goal_kind_names == ("uniform", "moved_block")
    assert spec.goal_kind("moved_block").quantities == ("agent_position", "block_position", "block_angle")
    with pytest.raises(ValueError, match="world 'pusht' has no goal kind 'far'; it has: uniform, moved_block"):
        spec.goal_kind("far")
    with pytest.raises(ValueError, match="no goal kind 'far'"):
        make_world("two_room", 1).reset(options={"goal_kind": "far"})


def test_a_world_that_does_not_say_which_goals_are_of_a_kind_must_override_the_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("jepa.worlds.two_room.world.TwoRoom.is_goal_of_kind")
    with pytest.raises(InputError, match=r"declares goals of kind 'cross_room' .* override `is_goal_of_kind`"):
        make_world("two_room", 1).is_goal_of_kind("cross_room", {"door": np.zeros((1, 1))}, {"door": np.zeros((1, 1))})
