"""Policies that keep Push-T's block moving, the one by pushing it on purpose, the other by staying near it.

All lengths are pixels of the 512 × 512 window. Each episode has a hand of its own, with its own generator.
"""

import math
from collections.abc import Sequence

import numpy as np

from jepa.core.episodes import Actions
from jepa.core.seeds import episode_generator
from jepa.worlds.policies import POLICIES, Policy
from jepa.worlds.world import World

Point = tuple[float, float]

REACH = 100.0
"""Length of a whole action: how far ahead of the agent the controller's target is put."""
CENTRE_OF_GRAVITY = 45.0
"""From the middle of the T's top edge, down its stem."""
ROUND = 100.0
"""Radius of the way around the block's centre of gravity; its farthest corner is at 75, the agent's radius is 15."""
TURNING_ROOM = 80.0
"""How far from the wall, measured from the block's centre of gravity, a push ends: just over its farthest corner."""
ARENA = (25.0, 487.0)


class _Hand:
    """Plans one push after another: around the block to its far side, then straight on, then a new direction."""

    turn = 0.6
    """Largest angle, in radians, walked around the block in a step."""
    aligned = 0.35
    """How far, in radians, the agent may be from the side that the push starts from."""
    noise = 0.08
    """Standard deviation of the noise on each action, in units of a whole action."""

    def __init__(self, seed: int) -> None:
        self._rng = episode_generator(seed, "policy")
        self._steps_left = 0
        self._pushing = False

    def act(self, agent: Point, block: Point, heading: Point) -> Point:
        """Returns the next action before clipping."""
        centre = (block[0] - CENTRE_OF_GRAVITY * heading[1], block[1] + CENTRE_OF_GRAVITY * heading[0])
        if self._steps_left <= 0:
            self._choose_push(centre)
        self._steps_left -= 1
        target = self._target(agent, centre)
        kick_x, kick_y = self._rng.normal(0.0, self.noise, 2)
        return (target[0] - agent[0]) / REACH + kick_x, (target[1] - agent[1]) / REACH + kick_y

    def _choose_push(self, centre: Point) -> None:
        """Draws a direction until there is room for the agent behind the block and for the block ahead."""
        for _ in range(16):
            self._angle = float(self._rng.uniform(-math.pi, math.pi))
            behind = _beyond(centre, self._angle, -ROUND)
            if _inside(behind) and _inside(_beyond(centre, self._angle, 2 * TURNING_ROOM)):
                break
        # Off-centre pushes turn the block as well as move it.
        self._side = float(self._rng.uniform(-40.0, 40.0))
        self._speed = float(self._rng.uniform(25.0, 50.0))
        self._steps_left = int(self._rng.integers(15, 35))
        self._pushing = False

    def _target(self, agent: Point, centre: Point) -> Point:
        bearing = math.atan2(agent[1] - centre[1], agent[0] - centre[0])
        behind = self._angle + math.pi
        way = (behind - bearing + math.pi) % (2 * math.pi) - math.pi
        if not self._pushing and abs(way) > self.aligned:
            return _clip(_beyond(centre, bearing + min(max(way, -self.turn), self.turn), ROUND))
        self._pushing = True
        # Along the push, and sideways onto the line that it is meant to follow.
        across = self._angle + math.pi / 2
        off = (agent[0] - centre[0]) * math.cos(across) + (agent[1] - centre[1]) * math.sin(across)
        ahead = _beyond(agent, self._angle, self._speed)
        target = _clip(_beyond(ahead, across, 0.5 * (self._side - off)))
        if not _inside(_beyond(centre, self._angle, TURNING_ROOM)):
            # The agent would press the block through the wall: it knows no force that is too large.
            self._steps_left = 0
        return target


@POLICIES.register("pusht/pusher")
class Pusher(Policy):
    """Pushes the block across the scene, in one direction after another, centrally and off-centre."""

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Gives each episode its own hand."""
        self._hands = [_Hand(seed) for seed in seeds]

    def act(self, world: World) -> Actions:
        """Returns each hand's next action, float32 (N, 2)."""
        state = world.state()
        places = zip(
            *(state[name].tolist() for name in ("agent_position", "block_position", "block_heading")), strict=True
        )
        actions = [hand.act(*map(tuple, place)) for hand, place in zip(self._hands, places, strict=True)]
        return np.clip(np.array(actions, dtype=np.float32), -1, 1)


@POLICIES.register("pusht/near_block")
class NearBlock(Policy):
    """Moves at random within `REACH` of the block, which it therefore often meets."""

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Gives each episode its own generator."""
        self._rngs = [episode_generator(seed, "policy") for seed in seeds]

    def act(self, world: World) -> Actions:
        """Returns steps to random targets near the agent, held near the block, float32 (N, 2)."""
        state = world.state()
        agent_N2, block_N2 = state["agent_position"], state["block_position"]
        step_N2 = np.stack([rng.uniform(-REACH, REACH, 2).astype(np.float32) for rng in self._rngs])
        target_N2 = np.clip(np.clip(agent_N2 + step_N2, block_N2 - REACH, block_N2 + REACH), *ARENA)
        return np.clip((target_N2 - agent_N2) / np.float32(REACH), -1, 1)


def _beyond(point: Point, angle: float, length: float) -> Point:
    return point[0] + length * math.cos(angle), point[1] + length * math.sin(angle)


def _inside(point: Point) -> bool:
    return all(ARENA[0] <= value <= ARENA[1] for value in point)


def _clip(point: Point) -> Point:
    return min(max(point[0], ARENA[0]), ARENA[1]), min(max(point[1], ARENA[0]), ARENA[1])
