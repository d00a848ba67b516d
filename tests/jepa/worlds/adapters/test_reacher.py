"""Reacher: its tolerances in joint angles, and a controller that turns to poses and holds them."""

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
