"""The policy that makes Two-Room's episodes worth learning from: it walks to goals, through the door where it must.

Shapes: N copies.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions
from jepa.worlds.policies import POLICIES, Noise, Policy
from jepa.worlds.two_room.world import RADIUS, SUCCESS_DISTANCE, WALL_X, free_place, radius_of, stops
from jepa.worlds.world import World

Floats = NDArray[np.float32]

MARGIN = np.float32(0.02)
"""How far before and behind the wall the way points of the passage lie."""


@POLICIES.register("two_room/expert")
class TwoRoomExpert(Policy):
    """Walks at full speed, with noise on every action, to a random place, and on to a new one when that is reached."""

    noise = np.float32(0.4)
    """Standard deviation of the noise, in units of the largest step."""

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Draws a first goal for each episode."""
        self._noise = Noise(seeds, _normal_and_uniform)
        self._goal_N2 = free_place(self._noise.next()[:, 2:], _radius(world))

    def act(self, world: World) -> Actions:
        """Returns a noisy step towards the next way point, float32 (N, 2)."""
        state = world.state()
        position_N2, door_N = state["agent_position"], state["door"][:, 0]
        noise_N4 = self._noise.next()
        reached_N = _length(self._goal_N2 - position_N2) < SUCCESS_DISTANCE / 2
        radius, speed = _radius(world), np.float32(world.world_spec.speed or 1)
        self._goal_N2 = np.where(reached_N[:, None], free_place(noise_N4[:, 2:], radius), self._goal_N2)
        way_N2 = (way_point(position_N2, self._goal_N2, door_N, radius) - position_N2) / speed
        way_N2 = way_N2 / np.maximum(_length(way_N2), 1)[:, None]
        return np.asarray(np.clip(way_N2 + self.noise * noise_N4[:, :2], -1, 1))


def way_point(position_N2: Floats, goal_N2: Floats, door_N: Floats, radius: np.float32 = RADIUS) -> Floats:
    """Returns where to head, (N, 2): before the door, behind it, then the goal; in the same room the goal at once."""
    _, _, left, right, slack = stops(radius)
    x_N, y_N = position_N2[:, 0], position_N2[:, 1]
    to_right_N = goal_N2[:, 0] > WALL_X
    arrived_N = np.where(to_right_N, x_N >= right, x_N <= left)
    aligned_N = np.abs(y_N - door_N) < slack * np.float32(0.6)
    # Inside the passage the wall itself keeps the agent aligned, so only one that is still in the room has to line up.
    passing_N = aligned_N | ((x_N > left) & (x_N < right))
    heads_right_N = to_right_N == passing_N
    door_N2 = np.stack([np.where(heads_right_N, right + MARGIN, left - MARGIN), door_N], axis=1)
    return np.where(arrived_N[:, None], goal_N2, door_N2)


def _radius(world: World) -> np.float32:
    """Returns the radius of the agents, which is the same in all copies."""
    return np.float32(np.ravel(radius_of(world.state()))[0])


def _normal_and_uniform(rng: np.random.Generator, steps: int) -> Floats:
    normal = rng.standard_normal((steps, 2), dtype=np.float32)
    return np.concatenate([normal, rng.random((steps, 2), dtype=np.float32)], axis=1)


def _length(vector_N2: Floats) -> Floats:
    return np.asarray(np.sqrt(vector_N2[:, 0] ** 2 + vector_N2[:, 1] ** 2))
