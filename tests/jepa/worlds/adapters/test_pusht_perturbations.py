"""Push-T's perturbations: what each one changes, by how much, for how long, and whom it cannot strike."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.worlds import World, make_world
from jepa.worlds.adapters.pusht.perturbations import STEP_PIXELS
from tests.narrow import floats

RADIUS = 15.0
FILLED = [143, 163, 184]
"""What a block of the usual colour is filled with."""
UP = floats([[0.0, -1.0]])


@pytest.fixture(scope="module")
def world() -> World:
    return make_world("pusht", 1, image_size=256, with_target=False)


def placed(world: World, agent: list[float], velocity: tuple[float, float] = (0.0, 0.0)) -> Any:
    """Puts the agent beside an upright T whose bar reaches from (200, 250) to (320, 280), its stem down to y = 370."""
    world.begin([0], [{"agent_radius": RADIUS, "floor": 1.0}])
    state = world.state()
    state["agent_position"][0], state["agent_velocity"][0] = agent, velocity
    state["block_position"][0], state["block_angle"][0], state["block_velocity"][0] = [260, 250], 0, 0
    world.restore(state)
    return world.state()


def struck(world: World, kind: str, strength: float | None, seed: int = 0) -> bool:
    return bool(world.perturb(kind, [np.random.default_rng(seed)], strength)[0])


@pytest.mark.parametrize("strength", [0.25, 1.0, 3.0])
def test_agent_and_block_are_teleported_so_far_each_alone_or_both(world: World, strength: float) -> None:
    for seed in range(4):
        for kind, moves in [("teleport_agent", "agent"), ("teleport_block", "block"), ("teleport", "both")]:
            before = placed(world, [220.0, 200.0])
            assert struck(world, kind, strength, seed)
            after = world.state()
            for body in ("agent", "block"):
                way = np.linalg.norm(after[f"{body}_position"] - before[f"{body}_position"])
                assert way == pytest.approx(strength * STEP_PIXELS if moves in (body, "both") else 0, rel=1e-4)
            assert after["block_angle"] == before["block_angle"] and world.possible().all()


def test_the_agent_goes_through_a_block_that_it_runs_at_and_that_lies_still(world: World) -> None:
    for strength in (0.25, 2.0):
        before = placed(world, [210.0, 310.0], velocity=(0.0, -90.0))
        assert struck(world, "pass_through", strength)
        after = world.state()
        # Upwards it touches the bar's lower side at y = 280 + 15.
        np.testing.assert_allclose(after["agent_position"], [[210, 295 - strength * STEP_PIXELS]], atol=0.6)
        np.testing.assert_array_equal(after["block_position"], before["block_position"])
    for place, velocity in [([210.0, 310.0], (90.0, 0.0)), ([60.0, 60.0], (90.0, 90.0)), ([210.0, 310.0], (0.0, 0.0))]:
        before = placed(world, place, velocity)
        if velocity == (90.0, 0.0):
            before = placed(world, [100.0, 200.0], velocity)
        assert not struck(world, "pass_through", 2.0)
        np.testing.assert_array_equal(world.state()["agent_position"], before["agent_position"])


def test_a_frozen_block_stays_for_so_many_steps_and_is_struck_within_reach(world: World) -> None:
    before = placed(world, [210.0, 300.0])
    world.advance(UP)
    assert np.linalg.norm(world.state()["block_position"] - before["block_position"]) > 10, "it is pushed"
    placed(world, [210.0, 300.0])
    assert struck(world, "freeze_block", 1)
    world.advance(UP)
    np.testing.assert_array_equal(world.state()["block_position"], before["block_position"])
    assert world.state()["agent_position"][0, 1] < 280, "the agent goes on"
    world.advance(0.3 * UP)
    assert (world.state()["block_position"] != before["block_position"]).any(), "it is over"
    placed(world, [60.0, 60.0])
    assert not struck(world, "freeze_block", 1) and struck(world, "freeze_block", 5)


def test_actions_are_reversed_or_not_carried_out(world: World) -> None:
    for kind, sign in (("reverse", 1), ("ignore_action", 0)):
        placed(world, [100.0, 100.0])
        struck(world, kind, 1)
        world.advance(UP)
        assert np.sign(round(float(world.state()["agent_position"][0, 1] - 100.0), 3)) == sign


def dark(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How much of the block's grey each pixel holds."""
    return np.asarray((255.0 - picture[..., 0]) / (255 - 119))


def test_a_block_fades_or_is_seen_twice_at_a_distance_and_physics_goes_on(world: World) -> None:
    area = 120 * 30 + 30 * 90
    window = np.s_[100:200, 85:170]
    placed(world, [60.0, 60.0])
    usual = dark(world.render_pixels()[0])[window].sum() * 4
    assert usual == pytest.approx(area, rel=0.15), "what is counted is the block"
    for strength in (0.25, 1.0):
        placed(world, [60.0, 60.0])
        struck(world, "vanish_block", strength)
        faded = dark(world.render_pixels()[0])[window].sum() * 4
        assert faded == pytest.approx((1 - strength) * usual, abs=0.05 * usual)
    for strength in (0.5, 2.0):
        placed(world, [60.0, 60.0])
        struck(world, "duplicate_block", strength, seed=3)
        shown = world.render_pixels()[0].astype(float)
        (offset,) = world._second_N2  # type: ignore[attr-defined]
        assert np.linalg.norm(offset) == pytest.approx(strength * STEP_PIXELS, rel=1e-4)
        moved = placed(world, [60.0, 60.0])
        moved["block_position"] += offset
        world.restore(moved)
        alone = world.render_pixels()[0].astype(float)
        grey = np.abs(alone - FILLED).max(axis=-1) < 3
        assert grey.sum() > 800 and np.abs(shown - alone)[grey].max() < 60, "there is a block at the offset, too"
        assert (shown[127:137, 128:132].max(axis=-1) < 200).all(), "and the first one"
    twin = placed(world, [210.0, 300.0])
    world.advance(UP)
    moved_alike = world.state()
    placed(world, [210.0, 300.0])
    for kind in ("vanish_block", "duplicate_block", "resize"):
        struck(world, kind, None)
    world.render_pixels()
    world.advance(UP)
    for name, value in world.state().items():
        np.testing.assert_array_equal(value, moved_alike[name], err_msg=name)
    assert (twin["block_position"] != moved_alike["block_position"]).any()
