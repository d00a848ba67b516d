"""Two-Room's distractor: seen in every frame, of no consequence, and restored to the bit."""

import numpy as np

from jepa.worlds import make_world
from jepa.worlds.two_room.distractor import EDGE

SEEDS = [3, 4, 5, 6]
ACTIONS = np.random.default_rng(0).uniform(-1, 1, size=(200, 4, 2)).astype(np.float32)


def test_nothing_depends_on_it() -> None:
    plain, drifting = make_world("two_room", 4), make_world("two_room", 4, distractor=True)
    variations = [{"door": 0.3 + 0.1 * n} for n in range(4)]
    for world in (plain, drifting):
        world.begin(SEEDS, variations)
    for action in ACTIONS:
        plain.advance(action)
        drifting.advance(action)
        of_plain, of_drifting = plain.state(), drifting.state()
        assert all(np.array_equal(of_plain[name], of_drifting[name]) for name in of_plain)
    assert set(drifting.state()) - set(plain.state()) == {"distractor"}
    assert {quantity.name for quantity in drifting.world_spec.quantities} == set(drifting.state())


def test_it_moves_within_the_scene_and_is_seen() -> None:
    world = make_world("two_room", 4, distractor=True)
    world.begin(SEEDS, [{"door": 0.5}] * 4)
    paths = []
    for action in ACTIONS:
        world.advance(action)
        paths.append(world.state()["distractor"])
    path_LN4 = np.stack(paths)
    assert (path_LN4[..., :2] >= EDGE - 1e-5).all() and (path_LN4[..., :2] <= 1 - EDGE + 1e-5).all()
    steps = np.linalg.norm(np.diff(path_LN4[..., :2], axis=0), axis=-1)
    assert np.allclose(steps, 0.02, atol=1e-5) and (np.ptp(path_LN4[..., :2], axis=0) > 0.2).any(axis=-1).all()
    frames = world.render_pixels()
    plain = make_world("two_room", 4)
    plain.restore(world.state())
    assert (frames != plain.render_pixels()).any(axis=(1, 2, 3)).all()


def test_what_follows_a_restored_state_is_what_followed_it() -> None:
    world, again = make_world("two_room", 4, distractor=True), make_world("two_room", 4, distractor=True)
    world.begin(SEEDS, [{"door": 0.5}] * 4)
    for action in ACTIONS[:30]:
        world.advance(action)
    again.restore(world.state())
    for action in ACTIONS[30:60]:
        world.advance(action)
        again.advance(action)
    assert np.array_equal(world.render_pixels(), again.render_pixels())
    assert np.array_equal(world.state()["distractor"], again.state()["distractor"])
