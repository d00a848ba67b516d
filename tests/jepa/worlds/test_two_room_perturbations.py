"""Two-Room's perturbations: what each one changes, by how much, for how long, and whom it cannot strike."""

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.worlds.two_room.world import LEFT, RIGHT, SPEED, TwoRoom
from tests.jepa.worlds.test_two_room import is_free, placed
from tests.narrow import floats

OPEN = [[0.2, 0.3], [0.3, 0.7], [0.7, 0.4], [0.25, 0.5]]


def rngs(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(n) for n in range(count)]


def red(world: TwoRoom) -> NDArray[np.float64]:
    """How much of the agent's red each frame (N, S, S) holds in all: its share of pixels times its opacity."""
    green_NSS = world.render_pixels()[..., 1].astype(float)
    untouched = placed([[0.95, 0.95]], image_size=world.world_spec.image_size).render_pixels()[0, :, :, 1]
    share_NSS = (untouched - green_NSS) / (240.0 - 39.0)
    return np.asarray(share_NSS[:, :, : int(0.47 * share_NSS.shape[2])].sum(axis=(1, 2)))


@pytest.mark.parametrize("steps", [1, 3])
def test_an_action_is_reversed_or_not_carried_out_for_so_many_steps(steps: int) -> None:
    action = floats([[1.0, 0.5], [-1.0, 0.2], [0.3, -0.4], [0.0, 1.0]])
    for kind, factor in (("reverse", -1), ("ignore_action", 0)):
        world = placed(OPEN)
        assert world.perturb(kind, rngs(4), steps).all()
        for done in range(1, 5):
            world.advance(action)
            way = factor * min(done, steps) + max(done - steps, 0)
            np.testing.assert_allclose(world.state()["agent_position"] - OPEN, way * SPEED * action, atol=1e-6)
    world = placed(OPEN)
    world.perturb("reverse", rngs(4))
    world.restore(world.state())
    world.advance(action)
    np.testing.assert_allclose(world.state()["agent_position"] - OPEN, SPEED * action, atol=1e-6, err_msg="it is over")


def test_the_agent_goes_through_the_wall_where_it_is_near_and_there_is_no_door() -> None:
    far, near = float(LEFT - 4 * SPEED), float(LEFT - 2 * SPEED)
    behind = float(RIGHT + 2 * SPEED)
    places = [[near, 0.2], [behind, 0.9], [far, 0.2], [near, 0.6], [0.5, 0.5]]
    for strength in (1.0, 3.0, 6.0):
        world = placed(places, door=0.5)
        struck = world.perturb("pass_through", rngs(5), strength)
        assert struck.tolist() == [True, True, False, False, False]
        after, way = world.state()["agent_position"], strength * SPEED
        np.testing.assert_allclose(after[:2, 0], [LEFT + way, RIGHT - way], atol=1e-6)
        np.testing.assert_array_equal(after[:, 1], floats(places)[:, 1])
        np.testing.assert_array_equal(after[2:], floats(places)[2:])
        assert is_free(world.state())[:2].all() == (strength >= 5), "from five on it is on the other side"


def test_a_duplicate_is_seen_at_its_distance_and_does_as_the_agent_does() -> None:
    for strength in (2.0, 5.0):
        world, twin = placed(OPEN, image_size=128), placed(OPEN, image_size=128)
        assert world.perturb("duplicate", rngs(4), strength).all()
        for _ in range(2):
            shown = (world.render_pixels() != twin.render_pixels()).any(axis=-1)
            for n in range(4):
                y, x = np.nonzero(shown[n])
                furthest = np.hypot(
                    (x + 0.5) / 128 - twin.state()["agent_position"][n, 0],
                    (y + 0.5) / 128 - twin.state()["agent_position"][n, 1],
                ).max()
                assert furthest == pytest.approx(strength * SPEED + 0.045, abs=0.01)
            for one in (world, twin):
                one.advance(floats([[0.5, 0.5], [0.5, -0.5], [0.5, 0], [-0.5, 0]]))
        np.testing.assert_array_equal(world.state()["agent_position"], twin.state()["agent_position"])


def test_an_agent_that_fades_or_grows_is_seen_so_much() -> None:
    places = [[0.2, 0.3], [0.3, 0.7], [0.25, 0.5]]
    usual = red(placed(places, image_size=128))
    for kind, strength, share in [("vanish", 0.25, 0.75), ("vanish", 1.0, 0.0), ("resize", 0.5, 1.5**2)]:
        world = placed(places, image_size=128)
        world.perturb(kind, rngs(3), strength)
        np.testing.assert_allclose(red(world), share * usual, atol=0.03 * usual.mean())
        world.advance(floats([[1, 0]] * 3))
        np.testing.assert_allclose(red(world), share * usual, atol=0.03 * usual.mean(), err_msg="it lasts")
