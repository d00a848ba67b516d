"""What acts in a world while episodes are collected.

Shapes: N copies, A action dimensions, k numbers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions
from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry
from jepa.core.seeds import EpisodeStream, episode_generator
from jepa.worlds.choices import with_options
from jepa.worlds.world import World

NOISE_STEPS = 64
"""Steps for which noise is drawn at once."""


class Policy(ABC):
    """Chooses the actions of a batch of episodes, those of each from its own seed and its own copy of the world."""

    @abstractmethod
    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Starts N episodes whose worlds have just begun."""

    @abstractmethod
    def act(self, world: World) -> Actions:
        """Returns float32 (N, A), within the world's action range."""

    def close(self) -> None:  # noqa: B027 - most policies hold nothing open
        """Closes what the policy has opened, such as worlds of its own; it is not used afterwards."""


POLICIES: Registry[type[Policy]] = Registry(
    "policy",
    {
        "cube/expert": "jepa.worlds.adapters.cube.expert",
        "oracle": "jepa.planning.oracle_policy",
        "pusht/expert": "jepa.worlds.adapters.pusht.expert",
        "pusht/near_block": "jepa.worlds.adapters.pusht.policies",
        "pusht/pusher": "jepa.worlds.adapters.pusht.policies",
        "random": "jepa.worlds.policies",
        "reacher/controller": "jepa.worlds.adapters.reacher.world",
        "swm_two_room/expert": "jepa.worlds.adapters.swm_two_room.world",
        "two_room/expert": "jepa.worlds.two_room.expert",
    },
    group="jepa.policies",
)
"""`<world>/<name>` for those that know one world; a plain name for those that act in any."""


def make_policy(name: str, world: str) -> Policy:
    """Returns a policy that fits a world.

    Raises:
        InputError: the name is unknown, or belongs to another world.
    """
    kind = POLICIES.get(name)
    if "/" in name and name.split("/")[0] != world:
        fitting = [known for known in POLICIES if "/" not in known or known.split("/")[0] == world]
        raise InputError(f"policy {name!r} does not act in world {world!r}; choose one of: {', '.join(fitting)}")
    return kind()


class Noise:
    """A stream of random numbers for each episode, drawn for many steps at once so that a step costs a look-up."""

    def __init__(
        self,
        seeds: Sequence[int],
        draw: Callable[[np.random.Generator, int], NDArray[Any]],
        stream: EpisodeStream = "policy",
    ) -> None:
        self._rngs = [episode_generator(seed, stream) for seed in seeds]
        self._draw = draw
        self._taken = NOISE_STEPS
        self._drawn: NDArray[Any]

    def next(self) -> NDArray[Any]:
        """Returns the next numbers of every stream, (N, k)."""
        if self._taken == NOISE_STEPS:
            self._drawn = np.stack([self._draw(rng, NOISE_STEPS) for rng in self._rngs], axis=1)
            self._taken = 0
        self._taken += 1
        return np.asarray(self._drawn[self._taken - 1])


@POLICIES.register("random")
class RandomWalk(Policy):
    """A smooth walk in any world: v ← ρ v + √(1 − ρ²) ε with ε standard normal.

    The action is centre + spread · half range · v, clipped to the world's range. Where the world takes choices, each
    step picks every option with the same probability instead, whatever was picked before.
    """

    smoothness = np.float32(0.9)
    spread = np.float32(0.7)

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Draws each walk's first velocity from the stationary distribution."""
        size, choices = world.world_spec.action_size, world.world_spec.choices
        options = [choice.options for choice in choices]
        # A stream of their own, so that they go together with no velocity.
        self._options = Noise(
            seeds, lambda rng, steps: rng.integers(options, size=(steps, len(options))), stream="choices"
        )
        self._noise = Noise(seeds, lambda rng, steps: rng.standard_normal((steps, size), dtype=np.float32))
        self._velocity_NA = self._noise.next()

    def act(self, world: World) -> Actions:
        """Returns the next velocity of each walk, scaled to the action range."""
        spec = world.world_spec
        centre = np.float32((spec.action_high + spec.action_low) / 2)
        half_range = np.float32((spec.action_high - spec.action_low) / 2)
        kick = np.sqrt(1 - self.smoothness**2)
        self._velocity_NA = self.smoothness * self._velocity_NA + kick * self._noise.next()
        walk_NA = centre + half_range * self.spread * self._velocity_NA
        action_NA = np.clip(walk_NA, spec.action_low, spec.action_high)
        if not spec.choices:
            return action_NA
        return with_options(action_NA, spec.choices, self._options.next(), spec.action_low, spec.action_high)
