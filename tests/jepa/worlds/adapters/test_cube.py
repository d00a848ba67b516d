"""Cube: the tolerance of its centre, goals that need it moved, and an expert that lifts it."""

import numpy as np

from jepa.worlds import WORLDS, coverage
from jepa.worlds.adapters.cube.world import SUCCESS_METRES, TABLE
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
