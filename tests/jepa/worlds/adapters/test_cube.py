"""Cube: the tolerance of its centre, goals that need it moved, and an expert that lifts it."""

import gc
import weakref
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from jepa.core.episodes import State
from jepa.core.errors import InputError
from jepa.worlds import WORLDS, coverage, make_world
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


LOOK = {"cube_hue": 350.0, "light": 0.7, "cube_size": 0.02}
DOWN = floats([[0, 0, -1, 0, 1]])


def drawn_and_moved(options: dict[str, Any]) -> tuple[NDArray[np.float32], State]:
    """Returns frames of one start, without and with a second cube beside the first, and the state some steps later."""
    with closing(make_world("cube", 1, image_size=64, **options)) as world:
        world.begin([3], [LOOK])
        plain = world.render_pixels()[0]
        assert world.perturb("duplicate", [np.random.default_rng(0)], 0.05).all()
        frames = floats([plain, world.render_pixels()[0]])
        for _ in range(25):
            world.advance(DOWN)
        return frames, world.state()


def test_shadows_and_meshes_are_the_package_s_unless_the_world_is_asked_for_others_and_change_no_motion() -> None:
    made("cube", 1).close()
    usual, end = drawn_and_moved({})
    assert end["effector_position"][0, 2] < 0.05, "low enough for the gripper to touch the table"
    for options, least, most in (({"shadows": "512"}, 0.0, 0.3), ({"shadows": 0, "mesh_cell": 0.005}, 5.0, 25.0)):
        frames, same = drawn_and_moved(options)
        off = np.abs(frames - usual).mean(axis=(1, 2, 3))
        assert (off > least).all() and (off < most).all(), (options, off)
        assert (frames[0] != frames[1]).any()
        for name, value in end.items():
            np.testing.assert_array_equal(same[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"shadows": 300},
            "shadows is 300; world 'cube' draws a shadow map of 4096, 2048, 1024, 512 texels a side, or",
        ),
        ({"shadows": "soft"}, "shadows is 'soft' and world 'cube' does not take that"),
        ({"mesh_cell": 0.03}, "mesh_cell is 0.03; world 'cube' merges vertices in cells of up to 0.02 metres"),
        ({"mesh_cell": -1.0}, "mesh_cell is -1"),
        ({"mesh_cell": float("nan")}, "mesh_cell is nan"),
    ],
)
def test_other_drawings_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_world("cube", 1, image_size=16, **options)


def test_a_closed_world_holds_on_to_no_scene() -> None:
    world: Any = make_world("cube", 1, image_size=32, shadows=512)
    scene = weakref.ref(world._scene.unwrapped)
    gc.disable()
    try:
        world.close()
        assert scene() is None
    finally:
        gc.enable()
    assert len(world.state()["block_position"]) == 1
