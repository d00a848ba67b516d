"""Push-T: the package's scene behind our contract; states come back whole and go on as they did."""

import math

import numpy as np
import pytest

from jepa.core.episodes import Episode, State
from jepa.worlds import EpisodePlan, collect_episodes, make_world
from jepa.worlds.adapters.pusht.world import BLOCK_COLOUR, SUCCESS_ANGLE, TELEPORT_PIXELS
from tests.jepa.worlds.acting import made

USUAL = {"agent_radius": 15.0, "floor": 1.0}


def plans(policy: str, count: int, steps: int) -> list[EpisodePlan]:
    return [EpisodePlan(index, 90 + index, "train", USUAL, policy, steps) for index in range(count)]


@pytest.fixture(scope="module")
def pushed() -> list[Episode]:
    return list(collect_episodes("pusht", {"image_size": 64}, plans("pusht/pusher", 4, 30)))


def frame(episodes: list[Episode], step: int) -> State:
    return {name: np.stack([episode.state[name][step] for episode in episodes]) for name in episodes[0].state}


def test_a_restored_state_shows_the_same_and_goes_on_the_same_in_contact_too(pushed: list[Episode]) -> None:
    moved = np.stack([np.linalg.norm(np.diff(episode.state["block_position"], axis=0), axis=1) for episode in pushed])
    assert (moved > 1).sum() > 20, "the test has to see contacts"
    world = make_world("pusht", 4, image_size=64)
    for start in (0, 7, 18):
        world.restore(frame(pushed, start))
        for step in range(start, 30):
            if step % 4 == 0 or step == start:
                np.testing.assert_array_equal(
                    world.render_pixels(), np.stack([episode.pixels[step] for episode in pushed])
                )
            for name, value in frame(pushed, step).items():
                np.testing.assert_array_equal(world.state()[name], value)
            world.advance(np.stack([episode.action[step] for episode in pushed]))


def test_physics_does_not_depend_on_the_images_size(pushed: list[Episode]) -> None:
    (small,) = collect_episodes("pusht", {"image_size": 32}, plans("pusht/pusher", 1, 30))
    assert small.pixels.shape == (31, 32, 32, 3)
    for name, value in small.state.items():
        np.testing.assert_array_equal(value, pushed[0].state[name])


@pytest.mark.filterwarnings("ignore:.*Casting input x")
def test_one_step_is_the_packages_own_where_nothing_touches() -> None:
    from stable_worldmodel.envs.pusht.env import PushT as Scene

    world = make_world("pusht", 1, image_size=32)
    start = world.state()
    start["agent_position"][:], start["block_position"][:], start["block_angle"][:] = [60, 60], [300, 300], 1.0
    world.restore(start)
    scene = Scene(resolution=32)
    state = np.array([60, 60, 300, 300, 1.0, 0, 0], dtype=np.float64)
    scene.reset(seed=0, options={"state": state})
    for action in np.random.default_rng(0).uniform(-0.3, 0.5, (5, 2)):
        observation, *_ = scene.step(action.astype(np.float32).astype(np.float64))
        world.advance(action[None].astype(np.float32))
    np.testing.assert_allclose(world.state()["agent_position"][0], observation["state"][:2], atol=1e-3)
    np.testing.assert_allclose(world.state()["block_angle"][0], observation["state"][4:5], atol=1e-6)
    np.testing.assert_array_equal(world.render_pixels()[0], scene.render())


def test_success_and_distance_follow_the_packages_tolerances() -> None:
    world = make_world("pusht", 4, image_size=32)
    world.begin(range(4), [USUAL] * 4)
    goal = world.state()
    assert world.success(goal, "uniform").all() and not world.distance(goal, "uniform").any()
    goal["agent_position"][0] += [19, 0]
    goal["block_position"][1] += [0, 21]
    goal["block_angle"][2] = (goal["block_angle"][2] + 1.1 * SUCCESS_ANGLE) % (2 * math.pi)
    goal["block_angle"][3] = (goal["block_angle"][3] - 0.9 * SUCCESS_ANGLE) % (2 * math.pi)
    np.testing.assert_array_equal(world.success(goal, "uniform"), [True, False, False, True])
    np.testing.assert_allclose(world.distance(goal, "uniform"), [19, 21, 22, 18], rtol=1e-4)


def test_moved_block_asks_for_a_block_that_has_to_move() -> None:
    angle, place = np.zeros((3, 1), dtype=np.float32), np.full((3, 2), 200, dtype=np.float32)
    start = {"agent_position": place, "block_position": place, "block_angle": angle}
    goal = {
        "agent_position": place + 100,
        "block_position": place + np.array([[0, 0], [25, 0], [0, 0]], dtype=np.float32),
        "block_angle": np.array([[0.1], [0], [2 * math.pi - 0.5]], dtype=np.float32),
    }
    world = make_world("pusht", 1, image_size=32)
    np.testing.assert_array_equal(world.is_goal_of_kind("moved_block", start, goal), [False, True, True])


def test_perturbations_move_and_paint(pushed: list[Episode]) -> None:
    world = make_world("pusht", 4, image_size=64)
    world.restore(frame(pushed, 20))
    before, frames = world.state(), world.render_pixels()
    world.perturb("recolour", [np.random.default_rng(n) for n in range(4)])
    assert (world.state()["block_colour"] != np.array(BLOCK_COLOUR)).any(axis=1).all()
    np.testing.assert_array_equal(world.state()["block_position"], before["block_position"])
    assert all((old != new).any() for old, new in zip(frames, world.render_pixels(), strict=True))
    world.perturb("teleport", [np.random.default_rng(n) for n in range(4)])
    for name in ("agent_position", "block_position"):
        assert (np.linalg.norm(world.state()[name] - before[name], axis=1) > TELEPORT_PIXELS).all()


def test_the_strict_test_is_the_block_s_pose_and_the_moderate_one_the_package_s() -> None:
    world = made("pusht", 5)
    goal = world.state()
    goal["agent_position"][0] += [0, 300]
    goal["block_position"][1:3] += np.array([[9.5, 0], [0, 10.5]], dtype=np.float32)
    goal["block_angle"][3:5] = (goal["block_angle"][3:5] + np.radians([[350.5], [10.5]])) % (2 * math.pi)
    np.testing.assert_array_equal(world.meets(goal, "uniform", "strict"), [True, True, False, True, False])
    np.testing.assert_array_equal(world.meets(goal, "uniform", "moderate"), [False, True, True, True, True])
    assert world.world_spec.success_kind("strict").held == 3
    world.close()
