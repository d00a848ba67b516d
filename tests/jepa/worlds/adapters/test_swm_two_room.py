"""The package's Two-Room: its tolerances, its goal kinds, and an expert that crosses it."""

import numpy as np

from jepa.worlds import make_world
from jepa.worlds.adapters.swm_two_room.world import SUCCESS_PIXELS, WALL_X
from tests.jepa.worlds.acting import act
from tests.narrow import floats


def test_it_is_crossed_by_its_expert() -> None:
    x = np.stack([episode["agent_position"][:, 0] for episode in act("swm_two_room", "swm_two_room/expert", 8, 64)])
    assert ((x < 100).any(axis=1) & (x > 124).any(axis=1)).mean() >= 0.5


def test_success_and_distance_are_those_of_the_agent_s_place() -> None:
    world = make_world("swm_two_room", 2, image_size=32)
    goal = world.state()
    goal["agent_position"] = goal["agent_position"] + floats([[SUCCESS_PIXELS - 1, 0], [0, SUCCESS_PIXELS + 1]])
    np.testing.assert_allclose(world.distance(goal, "uniform"), [SUCCESS_PIXELS - 1, SUCCESS_PIXELS + 1], rtol=1e-5)
    np.testing.assert_array_equal(world.success(goal, "cross_room"), [True, False])


def test_cross_room_goals_lie_beyond_the_wall_and_far() -> None:
    world = make_world("swm_two_room", 1, image_size=32)
    start = {"agent_position": floats([[WALL_X - 60, 100]] * 3)}
    goal = {"agent_position": floats([[WALL_X + 60, 100], [WALL_X - 20, 180], [WALL_X - 58, 100]])}
    np.testing.assert_array_equal(world.is_goal_of_kind("cross_room", start, goal), [True, False, False])
    near = {"agent_position": floats([[WALL_X - 20, 100]])}, {"agent_position": floats([[WALL_X + 20, 100]])}
    assert not world.is_goal_of_kind("cross_room", *near).any()
