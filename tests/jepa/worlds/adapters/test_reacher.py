"""Reacher: its tolerances in joint angles, and a controller that turns to poses and holds them."""

import math

import numpy as np

from jepa.worlds import WORLDS, coverage
from jepa.worlds.adapters.reacher.world import SUCCESS_RADIANS, WRIST_LIMIT, random_pose
from tests.jepa.worlds.acting import act, made
from tests.narrow import floats


def test_it_is_brought_to_a_pose_and_held_there() -> None:
    episodes = act("reacher", "reacher/controller", 4, 120)
    assert all(np.abs(episode["joint_velocity"]).max() < 12 for episode in episodes)
    assert np.median([np.ptp(episode["joint_position"], axis=0) for episode in episodes]) > 1.5
    share = coverage(episodes, WORLDS.get("reacher").world_spec).visited_share
    assert share is not None and share > 0.1


def test_every_joint_must_be_within_its_tolerance() -> None:
    world = made("reacher", 2)
    goal = world.state()
    near, far = SUCCESS_RADIANS * 0.9, SUCCESS_RADIANS * 1.1
    goal["joint_position"] = goal["joint_position"] + floats([[near, -near], [0, far]])
    np.testing.assert_array_equal(world.success(goal, "uniform"), [True, False])
    np.testing.assert_allclose(world.distance(goal, "uniform"), [near * 2**0.5, far], rtol=1e-3)
    world.close()


def test_poses_stay_within_the_wrist_s_stop() -> None:
    poses = np.stack([random_pose(np.random.default_rng(seed)) for seed in range(200)])
    assert np.abs(poses[:, 0]).max() <= np.pi and np.abs(poses[:, 1]).max() <= WRIST_LIMIT
    assert np.abs(poses[:, 1]).max() > 0.95 * WRIST_LIMIT


def test_the_moderate_test_wraps_the_shoulder_and_the_strict_one_looks_at_the_fingertip() -> None:
    world = made("reacher", 4)
    goal = world.state()
    turns = floats([[2 * math.pi, 0], [-4 * math.pi, 0.04], [0, 2 * math.pi], [0.06, 0]])
    goal["joint_position"] = goal["joint_position"] + turns
    np.testing.assert_array_equal(world.meets(goal, "uniform", "moderate"), [True, True, False, False])
    np.testing.assert_array_equal(world.success(goal, "uniform"), [False] * 4)
    goal["finger_position"] = goal["finger_position"] + floats(
        [[0.009, 0], [0, -0.011], [0.008, 0.008], [0.005, 0.005]]
    )
    np.testing.assert_array_equal(world.meets(goal, "uniform", "strict"), [True, False, False, True])
    assert world.world_spec.success_kind("strict").held == 2
    world.close()
