"""Cube: the tolerance of its centre, goals that need it moved, and an expert that lifts it."""

import numpy as np
from scipy.spatial.transform import Rotation

from jepa.worlds import WORLDS, coverage
from jepa.worlds.adapters.cube.orientation import turn
from jepa.worlds.adapters.cube.perturbations import TABLE
from jepa.worlds.adapters.cube.world import SUCCESS_METRES
from tests.jepa.worlds.acting import act, made
from tests.narrow import floats


def test_it_is_lifted_and_put_down_elsewhere() -> None:
    episodes = act("cube", "cube/expert", 2, 110)
    height = np.stack([episode["block_position"][:, 2] for episode in episodes])
    assert (height.max(axis=1) > 0.1).all() and (height.min(axis=1) > 0).all()
    carried = [np.linalg.norm(np.ptp(episode["block_position"][:, :2], axis=0)) for episode in episodes]
    assert min(carried) > 0.05
    assert coverage(episodes, WORLDS.get("cube").world_spec).moved_share("block_position") > 0.2


def test_success_is_the_centre_s_distance_and_moved_cubes_have_to_move() -> None:
    world = made("cube", 2)
    start = world.state()
    goal = dict(start)
    shift = floats([[SUCCESS_METRES * 0.9, 0, 0], [0, SUCCESS_METRES * 1.1, 0]])
    goal["block_position"] = start["block_position"] + shift
    np.testing.assert_array_equal(world.success(goal, "moved_cube"), [True, False])
    np.testing.assert_allclose(world.distance(goal, "uniform"), np.linalg.norm(shift, axis=1), rtol=1e-3)
    np.testing.assert_array_equal(world.is_goal_of_kind("moved_cube", start, goal), [False, True])
    assert (start["block_position"][:, :2] >= TABLE[0]).all() and (start["block_position"][:, :2] <= TABLE[1]).all()
    world.close()


def test_the_strict_test_is_nearer_and_asks_for_the_look_of_the_goal() -> None:
    world = made("cube", 4)
    goal = world.state()
    goal["block_position"][:2] += floats([[0.029, 0.0, 0.0], [0.0, 0.031, 0.0]])
    # Quarter turns about an axis of its own look the same; 14° and 16° further round do not.
    for n, degrees in ((0, 90.0), (2, 90.0 + 14.0), (3, 180.0 + 16.0)):
        start = Rotation.from_quat(goal["block_quaternion"][n][[1, 2, 3, 0]])
        turned = start * Rotation.from_euler("x", degrees, degrees=True)
        goal["block_quaternion"][n] = turned.as_quat()[[3, 0, 1, 2]]
    np.testing.assert_array_equal(world.meets(goal, "uniform", "strict"), [True, False, True, False])
    np.testing.assert_array_equal(world.meets(goal, "uniform", "moderate"), [True] * 4)
    assert world.world_spec.success_kind("strict").held == 3
    world.close()


def test_the_least_turn_is_that_over_all_rotations_of_a_cube() -> None:
    a, b = Rotation.random(200, random_state=0), Rotation.random(200, random_state=1)
    group = Rotation.create_group("O")
    assert len(group) == 24
    least = np.min([(a.inv() * b * each).magnitude() for each in group], axis=0)
    w_first = [3, 0, 1, 2]
    np.testing.assert_allclose(turn(floats(a.as_quat()[:, w_first]), floats(b.as_quat()[:, w_first])), least, atol=1e-5)
    assert least.max() < 1.1 and least.min() > 0.01


def test_the_cube_is_moved_sunk_or_held_in_the_air_and_others_are_not_struck() -> None:
    world = made("cube", 2)
    world.begin([1, 2], [{"cube_hue": 350.0, "light": 0.7, "cube_size": 0.02}] * 2)
    start = world.state()
    rngs = [np.random.default_rng(n) for n in range(2)]
    world.perturb("teleport", rngs, 0.05)
    way = world.state()["block_position"] - start["block_position"]
    np.testing.assert_allclose(np.linalg.norm(way[:, :2], axis=1), 0.05, rtol=1e-4)
    assert not way[:, 2].any()
    lifted = dict(start)
    lifted["position"] = start["position"].copy()
    lifted["position"][1, -5] += 0.1
    world.restore(lifted)
    assert world.perturb("pass_through", rngs, 0.5).tolist() == [True, False], "the second does not lie on the table"
    np.testing.assert_allclose(world.state()["block_position"][:, 2], [0.0, 0.12], atol=1e-5)
    lifted["velocity"] = start["velocity"].copy()
    lifted["velocity"][1, -4] = -0.1
    world.restore(lifted)
    struck = world.perturb("freeze_block", rngs, 1)
    assert struck[1] and struck[0] == (np.linalg.norm(start["block_position"][0] - start["effector_position"][0]) < 0.1)
    heights = []
    for _ in range(2):
        world.advance(np.zeros((2, 5), dtype=np.float32))
        heights.append(world.state()["block_position"][1, 2])
    assert heights[0] == lifted["position"][1, -5] and heights[1] < heights[0] - 1e-3
    world.close()
