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


def test_the_arm_is_turned_locked_and_swung_back_by_the_strength() -> None:
    world = made("reacher", 2)
    world.begin([1, 2], [{"arm_hue": 30.0, "light": 0.7, "arm_density": 1000.0}] * 2)
    for _ in range(3):
        world.advance(floats([[1.0, 0.5], [-1.0, 1.0]]))
    start = world.state()
    rngs = [np.random.default_rng(n) for n in range(2)]
    world.perturb("teleport", rngs, 0.2)
    turned = world.state()["joint_position"] - start["joint_position"]
    np.testing.assert_allclose(np.abs(turned), [[0.2, 0.0]] * 2, atol=1e-6)
    world.restore(start)
    world.perturb("reverse_velocity", rngs, 0.75)
    np.testing.assert_allclose(world.state()["joint_velocity"], -0.5 * start["joint_velocity"], rtol=1e-6)
    world.restore(start)
    assert world.perturb("freeze", rngs, 2).all()
    for moves in (False, False, True):
        before = world.state()["joint_position"]
        world.advance(floats([[1.0, 0.5], [-1.0, 1.0]]))
        assert (world.state()["joint_position"] != before).any() == moves
    world.close()
