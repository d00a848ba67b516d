"""The package's Two-Room: its tolerances, its goal kinds, and an expert that crosses it."""

import numpy as np
import pytest

from jepa.worlds import WORLDS, make_world
from jepa.worlds.adapters.swm_two_room.world import SUCCESS_PIXELS, WALL_X
from tests.jepa.worlds.acting import act, made
from tests.narrow import floats, present


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


def test_the_strict_test_is_nearer_and_in_the_goal_s_room() -> None:
    world = make_world("swm_two_room", 4, image_size=32)
    state = world.state()
    state["agent_position"] = floats([[60.0, 60.0], [60.0, 60.0], [60.0, 60.0], [WALL_X - 1, 100.0]])
    world.restore(state)
    goal = world.state()
    goal["agent_position"] = state["agent_position"] + floats([[7.9, 0.0], [0.0, 8.1], [0.0, 16.1], [2.0, 0.0]])
    np.testing.assert_array_equal(world.meets(goal, "cross_room", "strict"), [True, False, False, False])
    np.testing.assert_array_equal(world.meets(goal, "cross_room", "moderate"), [True, True, False, True])
    kind = world.world_spec.success_kind("strict")
    assert kind.legal_route and kind.goal_kinds == ("cross_room",)


def test_the_package_lets_the_disk_overlap_the_door_s_edge_and_a_legal_route_does_not() -> None:
    world = make_world("swm_two_room", 2, image_size=32)
    state = world.state()
    state["door"], state["agent_radius"] = floats([[100], [100]]), floats([[8], [8]])
    state["agent_position"] = floats([[95, 105], [95, 112]])
    world.restore(state)
    legal, before = np.ones(2, dtype=bool), world.state()
    for _ in range(8):
        world.advance(floats([[1, 0], [1, 0]]))
        legal &= world.legal_moves(before, world.state())
        before = world.state()
    assert (before["agent_position"][:, 0] > 130).all()
    np.testing.assert_array_equal(legal, [True, False])


def test_the_shortest_way_turns_at_the_door_as_the_package_has_it() -> None:
    look = {"door": floats([[100], [100]]), "agent_radius": floats([[8], [8]])}
    start = look | {"agent_position": floats([[60, 180], [60, 180]])}
    goal = look | {"agent_position": floats([[160, 180], [60, 40]])}
    edge, reach = 100 + 14 + 1.75, 5 + 8
    up = 2 * np.hypot(WALL_X - reach - 60, 180 - edge) + 2 * reach
    up += np.hypot(160 - WALL_X - reach, 180 - edge) - np.hypot(WALL_X - reach - 60, 180 - edge)
    way = present(WORLDS.get("swm_two_room").geodesic(start, goal))
    np.testing.assert_allclose(way, [up, 140], rtol=1e-5)


def test_the_agent_is_found_in_the_wall_or_behind_it_and_seen_twice_or_not_at_all() -> None:
    world = made("swm_two_room", 3, image_size=224)
    world.begin(range(3), [{"door": 60.0, "agent_radius": 8.0, "floor": 1.0}] * 3)
    state = world.state()
    state["agent_position"] = floats([[90.0, 150.0], [130.0, 150.0], [90.0, 60.0]])
    rngs = [np.random.default_rng(n) for n in range(3)]
    for strength, there in [(1.0, [104.0, 120.0]), (7.0, [134.0, 90.0])]:
        world.restore(state)
        assert world.perturb("pass_through", rngs, strength).tolist() == [True, True, False], "the last is at the door"
        np.testing.assert_array_equal(world.state()["agent_position"][:, 0], [*there, 90.0])
    world.restore(state)
    usual = world.render_pixels().astype(float)
    world.perturb("duplicate", rngs, 13.0)
    world.perturb("vanish", rngs, 0.5)
    seen, twice = 255 - usual[0, :, :, 1], 255 - world.render_pixels()[0, :, :, 1].astype(float)
    wall = seen == 255
    red, both = seen[~wall].sum(), twice[~wall].sum()
    assert both == pytest.approx(red, rel=0.05), "two agents of half the opacity"
    assert (twice[~wall] > 100).any() and (twice[~wall] < 140).all()
    world.restore(state)
    np.testing.assert_array_equal(world.render_pixels(), usual)
    world.close()
