"""The policies that stand beside a package's world get somewhere."""

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.worlds import coverage, make_policy, make_world


def act(name, policy, copies, steps, **options):
    """Returns the states of each copy, (T+1, d) by quantity, acted without rendering, and the world's specification."""
    try:
        world = make_world(name, copies, image_size=16, **options)
    except InputError as error:
        if "cannot render here" in str(error):
            pytest.skip(str(error))
        raise
    seeds = range(40, 40 + copies)
    world.begin(seeds, [world.world_spec.sample_variation(np.random.default_rng(seed)) for seed in seeds])
    acting = make_policy(policy, name)
    acting.begin(world, seeds)
    states = [world.state()]
    for _ in range(steps):
        world.advance(acting.act(world))
        states.append(world.state())
    world.close()
    return [{key: np.stack([state[key][n] for state in states]) for key in states[0]} for n in range(copies)], world


def test_the_packages_two_room_is_crossed():
    episodes, _ = act("swm_two_room", "swm_two_room/expert", 8, 64)
    x = np.stack([episode["agent_position"][:, 0] for episode in episodes])
    assert ((x < 100).any(axis=1) & (x > 124).any(axis=1)).mean() >= 0.5


def test_the_reacher_is_brought_to_a_pose_and_held_there():
    episodes, world = act("reacher", "reacher/controller", 4, 120)
    assert all(np.abs(episode["joint_velocity"]).max() < 12 for episode in episodes)
    turned = [np.ptp(episode["joint_position"], axis=0) for episode in episodes]
    assert np.median(turned) > 1.5
    assert coverage(episodes, world.world_spec).visited_share > 0.1


def test_the_cube_is_lifted_and_put_down_elsewhere():
    episodes, world = act("cube", "cube/expert", 2, 110)
    height = np.stack([episode["block_position"][:, 2] for episode in episodes])
    assert (height.max(axis=1) > 0.1).all() and (height.min(axis=1) > 0).all()
    carried = [np.linalg.norm(np.ptp(episode["block_position"][:, :2], axis=0)) for episode in episodes]
    assert min(carried) > 0.05
    assert coverage(episodes, world.world_spec).moved_share("block_position") > 0.2
