"""Two-Room: the same bits alone or in a batch, walls that hold, doors that open, perturbations as asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jepa.core.episodes import State
from jepa.core.errors import InputError
from jepa.worlds import WORLDS, make_world
from jepa.worlds.two_room.world import (
    AGENT_COLOUR,
    DOOR_HALF_HEIGHT,
    FAR,
    LEFT,
    NEAR,
    RADIUS,
    RIGHT,
    SLACK,
    SPEED,
    TELEPORT_DISTANCE,
    WALL_HALF_WIDTH,
    WALL_X,
    TwoRoom,
)
from tests.narrow import floats, present


def began(seeds: Sequence[int], doors: Sequence[float], **options: Any) -> TwoRoom:
    world = TwoRoom(len(seeds), **options)
    world.begin(seeds, [{"door": door} for door in doors])
    return world


def placed(positions: Sequence[Sequence[float]], door: float = 0.5, **options: Any) -> TwoRoom:
    world = began(range(len(positions)), [door] * len(positions), **options)
    world.restore({**world.state(), "agent_position": np.array(positions, dtype=np.float32)})
    return world


def is_free(state: State) -> NDArray[np.bool_]:
    """The disk neither leaves the scene nor overlaps the wall, by the nearest points of rectangles."""
    (x, y), door = state["agent_position"].T.astype(np.float64), state["door"][:, 0].astype(np.float64)
    tolerance = 1e-6
    inside = (x >= NEAR - tolerance) & (x <= FAR + tolerance) & (y >= NEAR - tolerance) & (y <= FAR + tolerance)
    across = np.maximum(np.abs(x - WALL_X) - WALL_HALF_WIDTH, 0)
    above, below = np.maximum(y - (door - DOOR_HALF_HEIGHT), 0), np.maximum(door + DOOR_HALF_HEIGHT - y, 0)
    free: NDArray[np.bool_] = inside & (np.hypot(across, np.minimum(above, below)) >= RADIUS - tolerance)
    return free


@settings(max_examples=25, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**63), min_size=1, max_size=7),
    doors=st.lists(st.floats(0.2, 0.8), min_size=7, max_size=7),
    data=st.data(),
)
def test_a_copy_is_the_same_bits_alone_and_in_a_batch(
    seeds: list[int], doors: list[float], data: st.DataObject
) -> None:
    doors = doors[: len(seeds)]
    n = data.draw(st.integers(0, len(seeds) - 1))
    batch, alone = began(seeds, doors), began(seeds[n : n + 1], doors[n : n + 1])
    actions = np.random.default_rng(seeds[0]).uniform(-1.5, 1.5, (6, len(seeds), 2)).astype(np.float32)
    for action in actions:
        batch.advance(action)
        alone.advance(action[n : n + 1])
        np.testing.assert_array_equal(batch.render_pixels()[n], alone.render_pixels()[0])
    for name, value in batch.state().items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value[n], alone.state()[name][0])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), door=st.floats(0.2, 0.8))
def test_the_agent_never_enters_the_wall_nor_leaves_the_scene(seed: int, door: float) -> None:
    world = began(range(seed, seed + 32), [door] * 32)
    rng = np.random.default_rng(seed)
    push = rng.uniform(-1, 1, (32, 2)).astype(np.float32)
    for _ in range(60):
        assert is_free(world.state()).all()
        world.advance(push + rng.uniform(-1, 1, (32, 2)).astype(np.float32))


def test_the_wall_stops_and_the_door_lets_pass_both_ways() -> None:
    right = np.array([[1, 0], [1, 0], [-1, 0], [-1, 0]], dtype=np.float32)
    world = placed([[0.2, 0.5], [0.2, 0.2], [0.8, 0.5], [0.8, 0.2]])
    for _ in range(25):
        world.advance(right)
    x = world.state()["agent_position"][:, 0]
    assert x[0] > RIGHT and x[2] < LEFT
    assert x[1] == LEFT and x[3] == RIGHT


def test_inside_the_passage_the_door_frame_holds_the_agent() -> None:
    world = placed([[0.5, 0.5], [0.5, 0.5]])
    for _ in range(10):
        world.advance(np.array([[0, 1], [0, -1]], dtype=np.float32))
    np.testing.assert_allclose(world.state()["agent_position"][:, 1], [0.5 + SLACK, 0.5 - SLACK], atol=1e-6)


def test_a_step_is_at_most_the_speed_and_actions_are_clipped() -> None:
    world, clipped = placed([[0.2, 0.2]]), placed([[0.2, 0.2]])
    world.advance(np.array([[9, -9]], dtype=np.float32))
    clipped.advance(np.array([[1, -1]], dtype=np.float32))
    np.testing.assert_array_equal(world.state()["agent_position"], clipped.state()["agent_position"])
    np.testing.assert_allclose(world.state()["agent_position"], [[0.23, 0.17]], atol=1e-6)


def test_actions_of_another_type_do_not_change_the_states() -> None:
    world = placed([[0.2, 0.2]])
    world.advance(np.array([[0.3, 0.1]], dtype=np.float64))
    assert world.state()["agent_position"].dtype == np.float32


def test_restoring_brings_back_pixels_and_future_bit_for_bit() -> None:
    world, other = began(range(5), [0.3, 0.4, 0.5, 0.6, 0.7]), began(range(10, 15), [0.5] * 5)
    world.perturb("recolour", [np.random.default_rng(n) for n in range(5)])
    recorded = world.state()
    other.render_pixels()
    other.restore(recorded)
    np.testing.assert_array_equal(other.render_pixels(), world.render_pixels())
    action = np.random.default_rng(0).uniform(-1, 1, (20, 5, 2)).astype(np.float32)
    for step in action:
        world.advance(step)
        other.advance(step)
    np.testing.assert_array_equal(other.render_pixels(), world.render_pixels())
    for name, value in world.state().items():
        np.testing.assert_array_equal(value, other.state()[name])


@pytest.mark.parametrize("size", [32, 64, 100, 224])
def test_the_picture_shows_agent_wall_and_door_where_they_are(size: int) -> None:
    world = placed([[0.25, 0.75], [0.045, 0.955]], door=0.6, image_size=size)
    frames = world.render_pixels()
    assert frames.shape == (2, size, size, 3) and frames.dtype == np.uint8
    np.testing.assert_array_equal(frames[0, int(0.75 * size), int(0.25 * size)], AGENT_COLOUR)
    wall, floor = frames[0, int(0.1 * size), size // 2], frames[0, int(0.6 * size), size // 2]
    assert wall.mean() < 80 and floor.mean() > 230
    # The disk covers its own area: the sum of how far each pixel is on the way from the floor's to its colour.
    share = (floor[2] - frames[0, :, : int(0.4 * size), 2].astype(float)) / (floor[2] - AGENT_COLOUR[2])
    assert share.sum() / size**2 == pytest.approx(np.pi * RADIUS**2, rel=0.06)


def test_pictures_tell_doors_and_places_apart_by_less_than_a_pixel() -> None:
    frames = [placed([[x, 0.3]], door=door).render_pixels() for x, door in [(0.2, 0.5), (0.203, 0.5), (0.2, 0.503)]]
    assert (frames[0] != frames[1]).any() and (frames[0] != frames[2]).any()


def test_teleport_moves_far_to_a_free_place_and_changes_nothing_else() -> None:
    world = began(range(64), [0.5] * 64)
    before = world.state()
    world.perturb("teleport", [np.random.default_rng(n) for n in range(64)])
    after = world.state()
    moved = np.linalg.norm(after["agent_position"] - before["agent_position"], axis=1)
    assert (moved >= TELEPORT_DISTANCE).all() and is_free(after).all()
    np.testing.assert_array_equal(before["door"], after["door"])
    np.testing.assert_array_equal(before["agent_colour"], after["agent_colour"])


def test_a_teleport_of_a_strength_is_so_many_steps_way_and_the_full_one_is_far() -> None:
    world = began(range(64), [0.5] * 64)
    start = world.state()
    rngs = [[np.random.default_rng(n) for n in range(64)] for _ in range(4)]
    for strength, drawn in zip((0.5, 1.0, 3.0, 10.0), rngs, strict=True):
        world.restore(start)
        assert world.perturb("teleport", drawn, strength).all()
        way = world.state()["agent_position"] - start["agent_position"]
        np.testing.assert_allclose(np.linalg.norm(way, axis=1), strength * SPEED, atol=1e-6)
        assert is_free(world.state()).all()
    assert world.world_spec.perturbation("teleport").strength * SPEED == pytest.approx(TELEPORT_DISTANCE)
    with pytest.raises(InputError, match="strength is -1; perturbation 'teleport' takes numbers over 0"):
        world.perturb("teleport", rngs[0], -1)
    with pytest.raises(InputError, match="world 'two_room' has no perturbation 'melt'; it has: teleport, recolour"):
        world.perturb("melt", rngs[0])


def test_recolour_changes_the_colour_alone_and_shows() -> None:
    world = began(range(16), [0.5] * 16)
    before, frames = world.state(), world.render_pixels()
    for _ in range(3):
        painted = world.state()["agent_colour"]
        world.perturb("recolour", [np.random.default_rng(n) for n in range(16)])
        assert (world.state()["agent_colour"] != painted).any(axis=1).all()
    np.testing.assert_array_equal(world.state()["agent_position"], before["agent_position"])
    assert all((old != new).any() for old, new in zip(frames, world.render_pixels(), strict=True))
    world.begin(range(16), [{"door": 0.5}] * 16)
    np.testing.assert_array_equal(world.state()["agent_colour"], before["agent_colour"])


def test_cross_room_goals_lie_in_the_other_room_and_far() -> None:
    start = {"agent_position": np.array([[0.2, 0.5], [0.2, 0.5], [0.42, 0.5], [0.8, 0.1]], dtype=np.float32)}
    goal = {"agent_position": np.array([[0.8, 0.5], [0.3, 0.9], [0.58, 0.5], [0.2, 0.1]], dtype=np.float32)}
    world = TwoRoom(1)
    np.testing.assert_array_equal(world.is_goal_of_kind("cross_room", start, goal), [True, False, False, True])
    assert world.is_goal_of_kind("uniform", start, goal).all()
    with pytest.raises(ValueError, match="goal kind 'moved_block'"):
        world.is_goal_of_kind("moved_block", start, goal)


def test_success_is_the_distance_below_its_threshold() -> None:
    world = placed([[0.2, 0.2], [0.2, 0.2]])
    goal = {"agent_position": np.array([[0.27, 0.2], [0.29, 0.2]], dtype=np.float32)}
    np.testing.assert_allclose(world.distance(goal, "uniform"), [0.07, 0.09], atol=1e-6)
    np.testing.assert_array_equal(world.success(goal, "uniform"), [True, False])


def test_training_never_draws_a_held_out_door_and_unseen_draws_nothing_else() -> None:
    spec = make_world("two_room", 1).world_spec
    rng = np.random.default_rng(0)
    (factor,) = spec.factors

    def held_out(door: float) -> bool:
        return any(low <= door <= high for low, high in factor.held_out)

    train = [spec.sample_variation(rng)["door"] for _ in range(3000)]
    unseen = [spec.sample_variation(rng, unseen=True)["door"] for _ in range(1000)]
    assert not any(map(held_out, train)) and all(map(held_out, unseen))
    # Each held-out band has training doors on both of its sides: what is asked for is interpolation.
    for low, high in factor.held_out:
        assert min(train) < low and max(train) > high
    assert factor.low <= min(train) and max(train) <= factor.high


def test_moderate_and_strict_are_pixels_of_a_frame_of_224_and_a_legal_route() -> None:
    world = make_world("two_room", 5)
    state = world.state()
    state["agent_position"] = floats([[0.2, 0.2], [0.2, 0.2], [0.2, 0.2], [0.2, 0.2], [0.49, 0.5]])
    world.restore(state)
    goal = dict(state)
    goal["agent_position"] = (
        state["agent_position"] + floats([[7.9, 0.0], [0.0, 8.1], [15.9, 0.0], [16.1, 0.0], [4.0, 0.0]]) / 224
    )
    np.testing.assert_array_equal(world.meets(goal, "cross_room", "strict"), [True, False, False, False, False])
    np.testing.assert_array_equal(world.meets(goal, "cross_room", "moderate"), [True, True, True, False, True])
    assert all(kind.legal_route and kind.goal_kinds == ("cross_room",) for kind in world.world_spec.success_kinds)


def test_what_the_world_does_is_legal_and_what_it_cannot_do_is_not() -> None:
    world = make_world("two_room", 500)
    rng = np.random.default_rng(3)
    world.begin(range(500), [{"door": door} for door in rng.uniform(0.2, 0.8, 500)])
    # At the wall and in the doorway, where rounding and corners matter.
    state = world.state()
    state["agent_position"][:250, 0] = rng.uniform(LEFT - 0.02, RIGHT + 0.02, 250)
    state["agent_position"][:250, 1] = state["door"][:250, 0] + rng.uniform(-SLACK, SLACK, 250)
    world.restore(state)
    for _ in range(40):
        before = world.state()
        world.advance(floats(rng.uniform(-1, 1, (500, 2))))
        assert world.legal_moves(before, world.state()).all()
    # Out of the doorway, along x and then along y: a straight line would clip the wall's corner.
    state["agent_position"] = floats(np.stack([np.full(500, RIGHT - 0.029), state["door"][:, 0] + SLACK], axis=1))
    world.restore(state)
    world.advance(floats(np.ones((500, 2))))
    assert (world.state()["agent_position"] > state["agent_position"] + 0.02).all()
    assert world.legal_moves(state, world.state()).all()
    left, right = dict(before), dict(before)
    left["agent_position"], right["agent_position"] = floats([[0.3, 0.1]] * 500), floats([[0.7, 0.1]] * 500)
    assert not world.legal_moves(left, right).any()


def test_the_shortest_way_goes_through_the_door() -> None:
    door = floats([[0.7], [0.7], [0.7]])
    start = {"door": door, "agent_position": floats([[0.2, 0.2], [0.2, 0.2], [0.2, 0.7]])}
    goal = {"door": door, "agent_position": floats([[0.8, 0.2], [0.2, 0.5], [0.9, 0.7]])}
    up = 2 * np.hypot(LEFT - 0.2, 0.7 - SLACK - 0.2) + (RIGHT - LEFT)
    way = present(WORLDS.get("two_room").geodesic(start, goal))
    np.testing.assert_allclose(way, [up, 0.3, 0.7], rtol=1e-5)
