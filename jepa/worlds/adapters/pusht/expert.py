"""The policy that pushes Push-T's block to one goal pose after another, each drawn for the episode.

A push at a point of the block moves and turns it as an impulse would, for the scene's damping leaves no speed over
from one step to the next: along the push by u/(1 + (r × d)²/c²), and about the centre of gravity by (r × d)/c² of that,
where r leads from that centre to the point, d is the direction, u the way of the point and c² = inertia/mass. The hand
takes the face whose push lessens the distance to the goal pose most, walks around to it, and pushes while that holds.
All lengths are pixels of the 512 × 512 window, all vectors complex numbers: x + iy. Each episode has a hand of its own.
"""

import cmath
import math
from collections.abc import Sequence

import numpy as np

from jepa.core.episodes import Actions
from jepa.core.seeds import episode_generator
from jepa.worlds.adapters.pusht.policies import ARENA, CENTRE_OF_GRAVITY, REACH, ROUND
from jepa.worlds.adapters.pusht.world import PIXELS_A_RADIAN, SUCCESS_ANGLE, SUCCESS_PIXELS
from jepa.worlds.policies import POLICIES, Policy
from jepa.worlds.world import World

CENTRE = complex(0, CENTRE_OF_GRAVITY)
GYRATION_SQUARED = 3000.0
"""c² of the T: the package gives it mass 1 and twice its bar's moment of inertia about the origin, 2 · 1500."""
FACES: tuple[tuple[complex, complex], ...] = (
    *((complex(x, 0), -1j) for x in (-50.0, -25.0, 0.0, 25.0, 50.0)),
    *((complex(side * 60, 15), complex(side, 0)) for side in (-1, 1)),
    *((complex(side * x, 30), 1j) for side in (-1, 1) for x in (40.0, 52.0)),
    *((complex(side * 15, y), complex(side, 0)) for side in (-1, 1) for y in (55.0, 80.0, 105.0)),
    *((complex(x, 120), 1j) for x in (-8.0, 0.0, 8.0)),
)
"""Points of the T's outline and their outward normals, in its own frame: x along the bar, y down the stem."""
GOAL_RANGE = (125.0, 387.0)
"""Where the centre of gravity of a goal pose lies, each coordinate: no corner of the block reaches a wall."""


class _Hand:
    """Carries out one push after another until the block is where it should be, then draws another goal."""

    noise = 0.06
    """Standard deviation of the noise on each action, in units of a whole action."""
    turn = 0.6
    """Largest angle, in radians, walked around the block in a step."""
    aligned = 7.0
    """How far off the line of a push the agent may start it."""
    slipped = 22.0
    """How far off that line the push is given up."""
    least_gain = 1.5
    """Pixels of the distance to the goal that a push has to be worth."""
    walking_price = 4.0
    """Pixels of gain that a radian of way around the block has to be worth."""

    def __init__(self, seed: int) -> None:
        self._rng = episode_generator(seed, "policy")
        self.goals_reached = 0
        self._choose_goal()

    def act(self, agent: complex, block: complex, turned: complex) -> complex:
        """Returns the next action before clipping, its x and y as one number; `turned` is e^{iθ}."""
        centre = block + CENTRE * turned
        error, angle_error = self.goal_centre - centre, cmath.phase(self.goal_turned / turned)
        if abs(error) < SUCCESS_PIXELS / 2 and abs(angle_error) < SUCCESS_ANGLE / 2:
            self.goals_reached += 1
            self._choose_goal()
        if self._face is None:
            self._choose_face(agent, centre, turned)
        target = self._target(agent, centre, turned)
        kick = complex(*self._rng.normal(0.0, self.noise, 2))
        return (target - agent) / REACH + kick

    def _choose_goal(self) -> None:
        self.goal_centre = complex(*self._rng.uniform(*GOAL_RANGE, 2))
        self.goal_turned = cmath.rect(1.0, self._rng.uniform(-math.pi, math.pi))
        self._face: int | None = None

    def _choose_face(self, agent: complex, centre: complex, turned: complex) -> None:
        scores = []
        for number, (point, normal) in enumerate(FACES):
            start = centre + (point - CENTRE + 30 * normal) * turned
            way = abs(cmath.phase((start - centre) / (agent - centre or 1)))
            score = self._gain(number, centre, turned) - self.walking_price * way
            scores.append(score if _inside(start) else -math.inf)
        best = int(np.argmax(scores))
        # Where no push helps, any other one leads out of the place.
        helps = self._gain(best, centre, turned) > self.least_gain
        self._face = best if helps else int(self._rng.integers(len(FACES)))
        self._pushing, self._steps_left = False, 40

    def _gain(self, face: int, centre: complex, turned: complex) -> float:
        """Returns by how many pixels the best length of a push at that face would lessen the distance to the goal."""
        point, normal = FACES[face]
        arm, direction = (point - CENTRE) * turned, -normal * turned
        torque = arm.real * direction.imag - arm.imag * direction.real
        shift = direction / (1 + torque**2 / GYRATION_SQUARED)
        spin = PIXELS_A_RADIAN * torque / GYRATION_SQUARED * abs(shift)
        error, angle_error = self.goal_centre - centre, PIXELS_A_RADIAN * cmath.phase(self.goal_turned / turned)
        along = (error * shift.conjugate()).real + angle_error * spin
        if along <= 0:
            return 0.0
        distance = math.hypot(abs(error), angle_error)
        left = distance**2 - along**2 / (abs(shift) ** 2 + spin**2)
        return distance - math.sqrt(max(left, 0.0))

    def _target(self, agent: complex, centre: complex, turned: complex) -> complex:
        assert self._face is not None
        self._steps_left -= 1
        point, normal = FACES[self._face]
        line, outward = centre + (point - CENTRE) * turned, normal * turned
        # The agent's place seen from the face: how far out along its normal, and how far aside.
        seen = (agent - line) / outward
        if self._steps_left < 0 or (self._pushing and self._is_done(seen, centre, turned)):
            self._face = None
            return centre + cmath.rect(ROUND, cmath.phase(agent - centre))
        if not self._pushing and (abs(seen.imag) > self.aligned or seen.real < 0):
            return self._walk(agent, centre, line, outward)
        self._pushing = True
        # Fast through free air, then in steps that let the next look correct what the last one missed.
        speed = max(seen.real - 18.0, 12.0) if seen.real > 20 else 14.0
        return agent - outward * min(speed, 60.0) - 1j * outward * 0.7 * seen.imag

    def _is_done(self, seen: complex, centre: complex, turned: complex) -> bool:
        assert self._face is not None
        useless = self._gain(self._face, centre, turned) < self.least_gain
        return useless or abs(seen.imag) > self.slipped

    def _walk(self, agent: complex, centre: complex, line: complex, outward: complex) -> complex:
        """Returns the next point of the way around the block to where the push can start."""
        # The line of the push meets the circle around the block here.
        inside = ((line - centre) / outward).real
        aside = ((line - centre) / outward).imag
        far = line + outward * (math.sqrt(ROUND**2 - aside**2) - inside)
        way = cmath.phase((far - centre) / (agent - centre or 1))
        if abs(agent - centre) < 0.85 * ROUND and abs(way) > 0.2:
            return _clip(centre + cmath.rect(ROUND, cmath.phase(agent - centre)))
        if abs(way) > self.turn:
            turn = math.copysign(self.turn, way)
            return _clip(centre + cmath.rect(ROUND, cmath.phase(agent - centre) + turn))
        return _clip(far)


@POLICIES.register("pusht/expert")
class PushTExpert(Policy):
    """Pushes the block to a goal pose, with noise on every action, and on to another one when it is there."""

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Gives each episode its own hand and its own first goal."""
        self.hands = [_Hand(seed) for seed in seeds]

    def act(self, world: World) -> Actions:
        """Returns each hand's next action, float32 (N, 2)."""
        state = world.state()
        places = (
            (state[name].astype(np.float64) @ np.array([1, 1j])).tolist()
            for name in ("agent_position", "block_position", "block_heading")
        )
        actions = [hand.act(*place) for hand, *place in zip(self.hands, *places, strict=True)]
        return np.clip(np.array([[action.real, action.imag] for action in actions], dtype=np.float32), -1, 1)


def _inside(point: complex) -> bool:
    return all(ARENA[0] <= value <= ARENA[1] for value in (point.real, point.imag))


def _clip(point: complex) -> complex:
    return complex(*np.clip([point.real, point.imag], *ARENA))
