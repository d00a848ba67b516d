"""Two-Room: a disk in a square scene, split by a wall with one door; vectorised numpy.

The scene is [0, 1]², x to the right and y downwards, one unit being the scene's width.
Shapes: N copies, S pixels of the image's side, C columns that the wall touches, P pixels of the disk's bounding box.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels, State
from jepa.core.seeds import episode_generator
from jepa.worlds.declarations import Factor, GoalKind, Quantity, Shift
from jepa.worlds.perturbations import part_way, teleported
from jepa.worlds.registry import WORLDS
from jepa.worlds.success import USUAL, SuccessKind
from jepa.worlds.two_room.distractor import Distractor
from jepa.worlds.two_room.doorway import Doorway, shortest_way
from jepa.worlds.two_room.painting import paint_disks, share, turned
from jepa.worlds.two_room.perturbations import PERTURBATIONS, passed_through
from jepa.worlds.world import World, WorldSpec

Floats = NDArray[np.float32]

WALL_X = 0.5
WALL_HALF_WIDTH = 0.03
DOOR_HALF_HEIGHT = 0.11
RADIUS = np.float32(0.045)
SPEED = np.float32(0.03)
"""Largest displacement in a step along each axis."""


class Stops(NamedTuple):
    """Where the centre of a disk stops."""

    near: Any
    far: Any
    """at the scene's borders"""
    left: Any
    right: Any
    """at the wall, coming from the left and from the right"""
    slack: Any
    """how far from the door's centre, in y, it can be and still pass"""


def stops(radius: Any) -> Stops:
    """Returns where disks of this radius, one for all or (M,), stop; float32 as the radius is."""
    left, right = np.float32(WALL_X - WALL_HALF_WIDTH) - radius, np.float32(WALL_X + WALL_HALF_WIDTH) + radius
    return Stops(radius, np.float32(1) - radius, left, right, np.float32(DOOR_HALF_HEIGHT) - radius)


NEAR, FAR, LEFT, RIGHT, SLACK = stops(RADIUS)
"""Those of the usual agent."""
AGENT_RADIUS = Quantity("agent_radius", 1, "scene width", "where it is another than usual", probe=False, fixed=True)

DOORWAY = Doorway(WALL_X, WALL_HALF_WIDTH, DOOR_HALF_HEIGHT)

SUCCESS_DISTANCE = 0.08
# The published protocols count pixels of a frame of 224, which is the scene's width.
MODERATE_DISTANCE, STRICT_DISTANCE = 16 / 224, 8 / 224
CROSS_ROOM_DISTANCE = 0.2
ROUNDING = 1e-5
"""How far a legal move may seem to reach into the wall, for positions are float32."""
TELEPORT_DISTANCE = 0.3
"""At least ten steps' way at full speed: no motion of the agent's own looks like it."""

FLOOR_COLOUR = np.array([242, 240, 235], dtype=np.float32)
WALL_COLOUR = np.array([64, 68, 80], dtype=np.float32)
AGENT_COLOUR = np.array([214, 39, 40], dtype=np.float32)
OTHER_COLOURS = np.array([[31, 90, 200], [24, 150, 60], [130, 60, 190]], dtype=np.float32)
"""What `recolour` paints the agent with; training shows none of them."""


def free_place(unit_N2: Floats, radius: np.float32 = RADIUS) -> Floats:
    """Maps uniform numbers in [0, 1) to places that are free whatever the door: uniform over both rooms."""
    x_N, y_N = unit_N2[:, 0], unit_N2[:, 1]
    near, far, left, right, _ = stops(radius)
    width = left - near
    x_N = np.where(x_N < 0.5, near + 2 * x_N * width, right + (2 * x_N - 1) * width)
    return np.stack([x_N, near + y_N * (far - near)], axis=1, dtype=np.float32)


def radius_of(state: Mapping[str, Any]) -> NDArray[Any] | np.float32:
    """Returns the agents' radius that states (M, d) tell, (M,), or the usual one where they tell none."""
    return np.asarray(state["agent_radius"])[:, 0] if AGENT_RADIUS.name in state else RADIUS


@WORLDS.register("two_room")
class TwoRoom(World):
    """N scenes of two rooms; the action is the agent's displacement in units of its largest step."""

    world_spec = WorldSpec(
        name="two_room",
        image_size=64,
        action_size=2,
        action_low=-1.0,
        action_high=1.0,
        quantities=(
            Quantity("agent_position", 2, "scene width", "x to the right, y downwards"),
            Quantity("door", 1, "scene width", "y of the door's centre"),
            Quantity("agent_colour", 3, "0-255", "red, green, blue", probe=False, fixed=True),
        ),
        factors=(
            Factor("door", 0.2, 0.8, "scene width", held_out=((0.32, 0.40), (0.60, 0.68)), possible=(0.08, 0.92)),
        ),
        perturbations=PERTURBATIONS,
        goal_kinds=(
            GoalKind("uniform", ("agent_position",)),
            GoalKind(
                "cross_room",
                ("agent_position",),
                f"in different rooms and over {CROSS_ROOM_DISTANCE} scene widths apart",
            ),
        ),
        distance_unit="scene width",
        success=f"the agent is within {SUCCESS_DISTANCE} of the goal's position",
        success_kinds=(
            SuccessKind(
                "moderate",
                "the agent is within 16/224 of the goal's position",
                ("agent_position",),
                legal_route=True,
                goal_kinds=("cross_room",),
            ),
            SuccessKind(
                "strict",
                "the agent is within 8/224 of the goal's position and in its room",
                ("agent_position",),
                legal_route=True,
                goal_kinds=("cross_room",),
            ),
        ),
        policy={"two_room/expert": 0.7, "random": 0.3},
        path_quantity="agent_position",
        frame_extent=(0.0, 1.0, 1.0, 0.0),
        speed=float(SPEED),
        protocol="two-room-v1",
        preset="demo",
        shifts=(
            Shift("agent_radius", 0.045, 0.015, 0.09, "scene width", "radius of the agent's disk"),
            Shift("agent_hue", 0.0, -180.0, 180.0, "degree", "by how much the agent's colour is turned from red"),
            Shift("floor_brightness", 1.0, 0.2, 1.05, "1", "of the floor, 1 as in training"),
            Shift("speed", 0.03, 0.01, 0.08, "scene width/step", "largest displacement along each axis"),
        ),
    )

    def __init__(
        self,
        num_envs: int,
        image_size: int = 64,
        distractor: bool = False,
        agent_radius: float = 0.045,
        agent_hue: float = 0.0,
        floor_brightness: float = 1.0,
        speed: float = 0.03,
    ) -> None:
        """Makes the scenes; the other options are the specification's `shifts`.

        Args:
            num_envs: N.
            image_size: side of a frame in pixels.
            distractor: whether a second disk drifts behind the agent, on which nothing depends.
        """
        super().__init__(num_envs, image_size)
        self._radius, self._speed = np.float32(agent_radius), np.float32(speed)
        self._usual_colour_3 = turned(AGENT_COLOUR, agent_hue)
        self._floor_3 = np.clip(FLOOR_COLOUR * np.float32(floor_brightness), 0, 255)
        self.world_spec = replace(self.world_spec, speed=float(self._speed))
        if self._radius != RADIUS:
            # Moves and ways are judged by states alone, which therefore have to hold it.
            self.world_spec = replace(self.world_spec, quantities=(*self.world_spec.quantities, AGENT_RADIUS))
        self._distractor = Distractor(num_envs) if distractor else None
        if distractor:
            self.world_spec = replace(self.world_spec, quantities=(*self.world_spec.quantities, Distractor.quantity))
        self._position_N2 = np.full((num_envs, 2), 0.25, dtype=np.float32)
        self._second_N2 = np.zeros((num_envs, 2), dtype=np.float32)
        """where a duplicate is, seen from the agent"""
        self._door_N = np.full(num_envs, 0.5, dtype=np.float32)
        self._colour_N3 = np.tile(self._usual_colour_3, (num_envs, 1))
        # The background depends on the door alone, so it is drawn when a door has moved and copied otherwise.
        self._drawn_door_N: Floats | None = None
        self._background: Pixels

    def begin(self, seeds: Sequence[int], variations: Sequence[Mapping[str, float]]) -> None:
        """Puts each agent at a free place drawn from its seed, in the usual colour; its variation tells the door."""
        scenes = [episode_generator(seed, "scene") for seed in seeds]
        self._lasting.clear()
        unit_N2 = np.stack([scene.random(2, dtype=np.float32) for scene in scenes])
        self._position_N2 = free_place(unit_N2, self._radius)
        if self._distractor is not None:
            self._distractor.begin(scenes)
        self._door_N = np.array([variation["door"] for variation in variations], dtype=np.float32)
        self._colour_N3 = np.tile(self._usual_colour_3, (self.num_envs, 1))

    def advance(self, action_NA: Actions) -> None:
        """Moves along x, then along y; each axis stops at what it meets, so that the agent slides along walls."""
        action_NA = self._lasting.action(action_NA, idle=0.0)
        move_N2 = np.clip(action_NA, -1, 1).astype(np.float32) * self._speed
        x_N, y_N = self._position_N2[:, 0], self._position_N2[:, 1]
        door_N = self._door_N
        near, far, left, right, slack = stops(self._radius)
        before_wall_N = np.abs(y_N - door_N) > slack
        on_left_N = x_N < WALL_X
        x_high_N = np.where(before_wall_N & on_left_N, left, far)
        x_low_N = np.where(before_wall_N & ~on_left_N, right, near)
        x_N = np.clip(x_N + move_N2[:, 0], x_low_N, x_high_N)
        in_doorway_N = (x_N > left) & (x_N < right)
        # A door that is shifted to the scene's edge is narrower: the border is there, too.
        y_low_N = np.where(in_doorway_N, np.maximum(door_N - slack, near), near)
        y_high_N = np.where(in_doorway_N, np.minimum(door_N + slack, far), far)
        y_N = np.clip(y_N + move_N2[:, 1], y_low_N, y_high_N)
        self._position_N2 = np.stack([x_N, y_N], axis=1)
        if self._distractor is not None:
            self._distractor.advance()
        self._lasting.end_step()

    def state(self) -> State:
        """Returns agent_position (N, 2), door (N, 1), agent_colour (N, 3).

        Besides distractor (N, 4) if there is one, and agent_radius (N, 1) if it is another than usual.
        """
        state = {
            "agent_position": self._position_N2.copy(),
            "door": self._door_N[:, None].copy(),
            "agent_colour": self._colour_N3.copy(),
        }
        if self._radius != RADIUS:
            state[AGENT_RADIUS.name] = np.full((self.num_envs, 1), self._radius)
        return state if self._distractor is None else state | {"distractor": self._distractor.motion_N4.copy()}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Takes over a recorded state; what follows is bit for bit what followed the recording."""
        self._lasting.clear()
        self._position_N2 = np.array(state["agent_position"], dtype=np.float32)
        self._door_N = np.array(state["door"], dtype=np.float32)[:, 0]
        self._colour_N3 = np.array(state["agent_colour"], dtype=np.float32)
        if self._distractor is not None:
            self._distractor.motion_N4 = np.array(state["distractor"], dtype=np.float32)

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        """Returns the straight distance (N,) of the agents' centres."""
        return _distance(self._position_N2, goal["agent_position"])

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        """Returns whether the agent is within `SUCCESS_DISTANCE` of the goal's position, (N,)."""
        return self.distance(goal, kind) < SUCCESS_DISTANCE

    def meets(self, goal: Mapping[str, Floats], kind: str, success_kind: str = USUAL) -> NDArray[np.bool_]:
        """`moderate`: within `MODERATE_DISTANCE`; `strict`: within `STRICT_DISTANCE`, in the goal's room; (N,)."""
        if success_kind == "moderate":
            return self.distance(goal, kind) < MODERATE_DISTANCE
        if success_kind == "strict":
            same_room_N = (self._position_N2[:, 0] < WALL_X) == (np.asarray(goal["agent_position"])[:, 0] < WALL_X)
            return np.asarray((self.distance(goal, kind) < STRICT_DISTANCE) & same_room_N)
        return super().meets(goal, kind, success_kind)

    @classmethod
    def legal_moves(cls, before: Mapping[str, Any], after: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Returns which moves keep the disk clear of the wall, first along x, then along y, as `advance` goes, (M,)."""
        door_M = np.asarray(before["door"], dtype=np.float64)[:, 0]
        start_M2, end_M2 = (np.asarray(state["agent_position"], dtype=np.float64) for state in (before, after))
        corner_M2 = np.stack([end_M2[:, 0], start_M2[:, 1]], axis=1)
        legs = [(start_M2, corner_M2), (corner_M2, end_M2)]
        radius_M = np.asarray(radius_of(before), dtype=np.float64)
        clear = [DOORWAY.lets_through(a_M2, b_M2, door_M, radius_M, ROUNDING) for a_M2, b_M2 in legs]
        return np.asarray(clear[0] & clear[1])

    @classmethod
    def geodesic(cls, start: Mapping[str, Any], goal: Mapping[str, Any]) -> Floats:
        """Returns the length of the shortest way of the agent's centre, through the door where it must be, (M,)."""
        door_M = np.asarray(start["door"], dtype=np.float64)[:, 0]
        start_M2, goal_M2 = (np.asarray(state["agent_position"], dtype=np.float64) for state in (start, goal))
        # Of float32 radii, so that the usual ways stay what they were to the last bit.
        left, right, slack = (np.asarray(stop, dtype=np.float64) for stop in stops(radius_of(start))[2:])
        way_M = shortest_way(start_M2, goal_M2, door_M, left, right, slack)
        return np.asarray(way_M, dtype=np.float32)

    def _strike(self, kind: str, rngs: Sequence[np.random.Generator], strength: float | None) -> NDArray[np.bool_]:
        declared = self.world_spec.perturbation(kind)
        full = declared.full(strength)
        if kind == "teleport":
            self._position_N2 = np.stack([self._teleported(n, rng, strength) for n, rng in enumerate(rngs)])
        elif kind == "recolour":
            colours = [_other_colour(colour, rng) for colour, rng in zip(self._colour_N3, rngs, strict=True)]
            self._colour_N3 = part_way(self._colour_N3, np.stack(colours), strength)
        elif kind == "pass_through":
            before_wall_N = np.abs(self._position_N2[:, 1] - self._door_N) > DOOR_HALF_HEIGHT
            near, far, left, right, _ = stops(self._radius)
            self._position_N2, struck_N = passed_through(
                self._position_N2, before_wall_N, full * float(self._speed), (left, right), (near, far)
            )
            return struck_N
        else:
            self._lasting.start(declared, full)
            if kind == "duplicate":
                second = [self._teleported(n, rng, full) for n, rng in enumerate(rngs)]
                self._second_N2 = np.stack(second) - self._position_N2
        return np.ones(self.num_envs, dtype=bool)

    def is_goal_of_kind(self, kind: str, start: Mapping[str, Any], goal: Mapping[str, Any]) -> NDArray[np.bool_]:
        """`cross_room`: start and goal lie in different rooms and over `CROSS_ROOM_DISTANCE` apart."""
        if kind != "cross_room":
            return super().is_goal_of_kind(kind, start, goal)
        start_M2, goal_M2 = np.asarray(start["agent_position"]), np.asarray(goal["agent_position"])
        different_M = (start_M2[:, 0] < WALL_X) != (goal_M2[:, 0] < WALL_X)
        return np.asarray(different_M & (_distance(start_M2, goal_M2) > CROSS_ROOM_DISTANCE))

    def render_pixels(self) -> Pixels:
        """Returns uint8 (N, S, S, 3): background and anti-aliased disks, each drawn in the disk's bounding box only."""
        size = self.world_spec.image_size
        if self._drawn_door_N is None or not np.array_equal(self._drawn_door_N, self._door_N):
            self._background = _draw_rooms(self._door_N, size, self._floor_3)
            self._drawn_door_N = self._door_N.copy()
        frames = self._background.copy()
        if self._distractor is not None:
            paint_disks(frames, *self._distractor.disks(), RADIUS)
        radius = self._radius * np.float32(1 + self._lasting.strength("resize"))
        opacity = np.float32(1 - self._lasting.strength("vanish"))
        if self._lasting.strength("duplicate"):
            second_N2 = np.clip(self._position_N2 + self._second_N2, *stops(self._radius)[:2])
            paint_disks(frames, second_N2, self._colour_N3, radius, opacity)
        paint_disks(frames, self._position_N2, self._colour_N3, radius, opacity)
        return frames

    def _teleported(self, n: int, rng: np.random.Generator, strength: float | None) -> Floats:
        position_2 = self._position_N2[n]
        if strength is not None:
            is_free = partial(_is_free, self._door_N[n], stops(self._radius))
            return teleported(position_2, strength * float(self._speed), rng, is_free)
        while True:
            place_12 = free_place(rng.random((1, 2), dtype=np.float32), self._radius)
            if _distance(place_12, position_2[None])[0] >= TELEPORT_DISTANCE:
                return np.asarray(place_12[0])


def _is_free(door: Floats, stop: Stops, place_M2: Floats) -> NDArray[np.bool_]:
    """Returns which of M places the agent's centre can be at, (M,)."""
    x_M, y_M = place_M2[:, 0], place_M2[:, 1]
    inside_M = (place_M2 >= stop.near).all(axis=1) & (place_M2 <= stop.far).all(axis=1)
    return np.asarray(inside_M & ((x_M <= stop.left) | (x_M >= stop.right) | (np.abs(y_M - door) <= stop.slack)))


def _distance(a_N2: Floats, b_N2: Floats) -> Floats:
    difference_N2 = (a_N2 - b_N2) ** 2
    return np.asarray(np.sqrt(difference_N2[:, 0] + difference_N2[:, 1]))


def _other_colour(colour_3: Floats, rng: np.random.Generator) -> Floats:
    others = OTHER_COLOURS[(colour_3 != OTHER_COLOURS).any(axis=1)]
    return np.asarray(others[rng.integers(len(others))])


def _draw_rooms(door_N: Floats, size: int, floor_3: Floats) -> Pixels:
    """Returns the floor with the wall and its door; anti-aliased edges tell the door's height finer than a pixel."""
    edge = np.arange(size + 1, dtype=np.float32) / size
    wall_S = share(edge, WALL_X - WALL_HALF_WIDTH, WALL_X + WALL_HALF_WIDTH) * size
    open_NS = share(edge, (door_N - DOOR_HALF_HEIGHT)[:, None], (door_N + DOOR_HALF_HEIGHT)[:, None]) * size
    columns = np.flatnonzero(wall_S)
    cover_NSC = (1 - open_NS)[:, :, None] * wall_S[columns]
    strip = floor_3 + (WALL_COLOUR - floor_3) * cover_NSC[..., None]
    frames = np.empty((len(door_N), size, size, 3), dtype=np.uint8)
    frames[:] = floor_3.astype(np.uint8)
    frames[:, :, columns[0] : columns[-1] + 1] = (strip + np.float32(0.5)).astype(np.uint8)
    return frames
