"""A policy in its world, acted without rendering."""

from contextlib import closing

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.worlds import World, make_policy, make_world

Episode = dict[str, NDArray[np.float32]]


def made(name: str, copies: int, image_size: int = 32) -> World:
    """Returns a world, or skips the test where nothing can render it."""
    try:
        return make_world(name, copies, image_size=image_size)
    except InputError as error:
        if "cannot render here" in str(error):
            pytest.skip(str(error))
        raise


def act(name: str, policy: str, copies: int, steps: int) -> list[Episode]:
    """Returns the states of each copy, (T+1, d) by quantity."""
    with closing(made(name, copies, image_size=16)) as world, closing(make_policy(policy, name)) as acting:
        seeds = range(40, 40 + copies)
        world.begin(seeds, [world.world_spec.sample_variation(np.random.default_rng(seed)) for seed in seeds])
        acting.begin(world, seeds)
        states = [world.state()]
        for _ in range(steps):
            world.advance(acting.act(world))
            states.append(world.state())
    return [{key: np.stack([state[key][n] for state in states]) for key in states[0]} for n in range(copies)]
