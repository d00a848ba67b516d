"""The package's Two-Room: the physics and the pictures are those of stable-worldmodel's `swm/TwoRoom-v1`.

Positions are pixels of its 224 × 224 scene, x to the right and y downwards, whatever the image's size.
Shapes: N copies, M pairs of states, A = 2 action dimensions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels
from jepa.worlds.adapters.packages import hue_colour, import_package, other_hue, quiet, resize
from jepa.worlds.adapters.scene_world import Floats, Row, SceneWorld
from jepa.worlds.adapters.swm_two_room.perturbations import PERTURBATIONS, draw
from jepa.worlds.declarations import Factor, GoalKind, Quantity
from jepa.worlds.perturbations import hue_on_the_way, teleported
from jepa.worlds.policies import POLICIES, Noise, Policy
from jepa.worlds.registry import WORLDS
from jepa.worlds.success import USUAL, SuccessKind
from jepa.worlds.two_room.doorway import Doorway, shortest_way
from jepa.worlds.two_room.perturbations import passed_through
from jepa.worlds.world import World, WorldSpec

SIDE = 224
WALL_X, WALL_HALF_WIDTH, BORDER = 112.0, 5.0, 14.0
DOORWAY = Doorway(WALL_X, WALL_HALF_WIDTH, half_height=14.0)
DOOR_MARGIN = 1.75
"""By how much the package's collision test, which looks at the agent's centre where a step ends, widens the door."""
SUCCESS_PIXELS, STRICT_PIXELS = 16.0, 8.0
ROUNDING = 1e-3
"""How far a legal move may seem to reach into the wall, for positions are float32."""
CROSS_ROOM_PIXELS = 45.0
TELEPORT_PIXELS = 65.0
"""Some ten steps' way of the agent, which walks 5 pixels along each axis."""
SPEED = 5.0
"""What the agent walks in a step along each axis."""
LOOK = ("door", "agent_radius", "floor", "agent_hue")
"""The quantities that stay as they are in an episode."""
AGENT_HUE = 0.0
OTHER_HUES = (120.0, 220.0, 290.0)
"""What `recolour` paints the agent with; training shows none of them."""


@WORLDS.register("swm_two_room")
class SwmTwoRoom(SceneWorld):
    """N copies of the package's scene; the action is the agent's displacement in units of 5 pixels."""

    world_spec = WorldSpec(
        name="swm_two_room",
        image_size=SIDE,
        action_size=2,
        action_low=-1.0,
        action_high=1.0,
        quantities=(
            Quantity("agent_position", 2, "pixel of 224", "x to the right, y downwards"),
            Quantity("door", 1, "pixel of 224", "y of the door's centre"),
            Quantity("agent_radius", 1, "pixel of 224", probe=False),
            Quantity("floor", 1, "1", "brightness of the floor", probe=False),
            Quantity("agent_hue", 1, "degree", probe=False, fixed=True),
        ),
        factors=(
            Factor("door", 40.0, 184.0, "pixel of 224", held_out=((70.0, 90.0), (134.0, 154.0))),
            Factor("agent_radius", 7.0, 10.0, "pixel of 224"),
            Factor("floor", 0.8, 1.0, "1", possible=(0.2, 1.0)),
        ),
        perturbations=PERTURBATIONS,
        goal_kinds=(
            GoalKind("uniform", ("agent_position",)),
            GoalKind("cross_room", ("agent_position",), "in different rooms and over 45 pixels apart"),
        ),
        distance_unit="pixel of 224",
        success="the agent is within 16 pixels of the goal's position",
        success_kinds=(
            SuccessKind(
                "moderate",
                "the agent is within 16 pixels of the goal's position",
                ("agent_position",),
                legal_route=True,
                goal_kinds=("cross_room",),
            ),
            SuccessKind(
                "strict",
                "the agent is within 8 pixels of the goal's position and in its room",
                ("agent_position",),
                legal_route=True,
                goal_kinds=("cross_room",),
            ),
        ),
        policy={"swm_two_room/expert": 0.7, "random": 0.3},
        path_quantity="agent_position",
        frame_extent=(0.0, float(SIDE), float(SIDE), 0.0),
        speed=SPEED,
    )

    def __init__(self, num_envs: int, image_size: int = SIDE) -> None:
        """Makes N copies.

        Raises:
            InputError: stable-worldmodel or what it needs is not installed.
        """
        super().__init__(num_envs, image_size)
        package = import_package("swm_two_room", "stable_worldmodel.envs.two_room.env")
        with quiet():
            self._scene = package.TwoRoomEnv()
        self._look: tuple[float, ...] = ()
        self._second = np.zeros((num_envs, 2), dtype=np.float32)
        self._open(self._scene.close)

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        """Returns the straight distance (N,) of the agents' centres in pixels."""
        off_N2 = self._state["agent_position"] - goal["agent_position"]
        distance_N: Floats = np.linalg.norm(off_N2, axis=1).astype(np.float32)
        return distance_N

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        """Returns the package's own test, (N,): under 16 pixels."""
        return np.asarray(self.distance(goal, kind) < SUCCESS_PIXELS)

    def meets(self, goal: Mapping[str, Floats], kind: str, success_kind: str = USUAL) -> NDArray[np.bool_]:
        """`moderate`: within 16 pixels, the package's own; `strict`: within 8 pixels, in the goal's room; (N,)."""
        if success_kind == "moderate":
            return self.success(goal, kind)
        if success_kind == "strict":
            here_N, there_N = self._state["agent_position"][:, 0], np.asarray(goal["agent_position"])[:, 0]
            near_N = self.distance(goal, kind) < STRICT_PIXELS
            return np.asarray(near_N & ((here_N < WALL_X) == (there_N < WALL_X)))
        return super().meets(goal, kind, success_kind)

    @classmethod
    def legal_moves(cls, before: Mapping[str, Any], after: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Returns which moves keep the whole disk clear of the wall, which the package's physics does not, (M,)."""
        door_M, radius_M = (np.asarray(before[name], dtype=np.float64)[:, 0] for name in ("door", "agent_radius"))
        start_M2, end_M2 = (np.asarray(state["agent_position"], dtype=np.float64) for state in (before, after))
        return DOORWAY.lets_through(start_M2, end_M2, door_M, radius_M, ROUNDING)

    @classmethod
    def geodesic(cls, start: Mapping[str, Any], goal: Mapping[str, Any]) -> Floats:
        """Returns the length in pixels of the shortest way of the agent's centre that the package lets it go, (M,).

        The centre may be where the disk overlaps the door's edge (`DOOR_MARGIN`), so no legal route is shorter.
        """
        door_M, radius_M = (np.asarray(start[name], dtype=np.float64)[:, 0] for name in ("door", "agent_radius"))
        start_M2, goal_M2 = (np.asarray(state["agent_position"], dtype=np.float64) for state in (start, goal))
        reach_M = WALL_HALF_WIDTH + radius_M
        slack = DOORWAY.half_height + DOOR_MARGIN
        way_M = shortest_way(start_M2, goal_M2, door_M, WALL_X - reach_M, WALL_X + reach_M, slack)
        return np.asarray(way_M, dtype=np.float32)

    def is_goal_of_kind(self, kind: str, start: Mapping[str, Any], goal: Mapping[str, Any]) -> NDArray[np.bool_]:
        """`cross_room`: start and goal in different rooms, over 45 pixels apart, as in our own Two-Room."""
        if kind != "cross_room":
            return super().is_goal_of_kind(kind, start, goal)
        here_M2, there_M2 = np.asarray(start["agent_position"]), np.asarray(goal["agent_position"])
        apart_M = np.linalg.norm(here_M2 - there_M2, axis=1) > CROSS_ROOM_PIXELS
        return np.asarray(apart_M & ((here_M2[:, 0] < WALL_X) != (there_M2[:, 0] < WALL_X)))

    def _start(self, rng: np.random.Generator, variation: Mapping[str, float]) -> None:
        look = {name: np.array([variation[name]], dtype=np.float32) for name in ("door", "agent_radius", "floor")}
        hue, place = np.array([AGENT_HUE], dtype=np.float32), np.zeros(2, dtype=np.float32)
        self._load({**look, "agent_hue": hue, "agent_position": place})
        self._place(rng)

    def _load(self, row: Row) -> None:
        look = tuple(float(row[name][0]) for name in LOOK)
        if look != self._look:
            self._dress(*look)
        self._row = {name: row[name] for name in LOOK}
        self._scene._set_state(row["agent_position"])

    def _dress(self, door: float, radius: float, floor: float, hue: float) -> None:
        scene, vary = self._scene, self._scene.variation_space
        vary["agent"]["radius"].set_value(np.array([radius], dtype=np.float32))
        vary["agent"]["color"].set_value(_rgb(hue, 1.0, 1.0))
        for part in ("background", "door"):
            vary[part]["color"].set_value(_rgb(0.0, 0.0, floor))
        scene._cache_params()
        # The package has doors at whole pixels only because its space of variations is discrete; nothing else asks it.
        scene.door_positions[0] = door
        self._look = door, radius, floor, hue

    def _move(self, action_A: Floats) -> None:
        self._scene.step(action_A)

    def _read(self) -> Row:
        return {**self._row, "agent_position": self._scene.agent_position.numpy().copy()}

    def _render(self) -> Pixels:
        looks = self._lasting.looks
        picture = draw(self._scene, self._lasting, self._second[self._turn]) if looks else self._scene.render()
        return resize(picture, self.world_spec.image_size)

    def _disturb(self, kind: str, row: Row, rng: np.random.Generator, strength: float | None) -> bool:
        radius, door = float(row["agent_radius"][0]), float(row["door"][0])
        full = self.world_spec.perturbation(kind).full(strength)
        if kind == "recolour":
            present = float(row["agent_hue"][0])
            hue = hue_on_the_way(present, other_hue(present, OTHER_HUES, rng), strength)
            self._load({**row, "agent_hue": np.array([hue], dtype=np.float32)})
        elif kind == "teleport" and strength is None:
            self._place(rng, away_from=row["agent_position"])
        elif kind == "teleport":
            self._scene._set_state(self._teleported(row, rng, full))
        elif kind == "duplicate":
            self._second[self._turn] = self._teleported(row, rng, full) - row["agent_position"]
        elif kind == "pass_through":
            reach, edge = WALL_HALF_WIDTH + radius, BORDER + radius
            before_wall = abs(float(row["agent_position"][1]) - door) > DOORWAY.half_height + DOOR_MARGIN
            there_12, struck_1 = passed_through(
                row["agent_position"][None],
                np.array([before_wall]),
                full * SPEED,
                (np.float32(WALL_X - reach), np.float32(WALL_X + reach)),
                (np.float32(edge), np.float32(SIDE - edge)),
            )
            self._scene._set_state(there_12[0])
            return bool(struck_1[0])
        return True

    def _teleported(self, row: Row, rng: np.random.Generator, steps_way: float) -> Floats:
        edge, reach, door = BORDER + float(row["agent_radius"][0]), WALL_HALF_WIDTH, float(row["door"][0])
        reach += float(row["agent_radius"][0])

        def is_free(place_M2: Floats) -> NDArray[np.bool_]:
            inside_M = ((place_M2 >= edge) & (place_M2 <= SIDE - edge)).all(axis=1)
            in_door_M = np.abs(place_M2[:, 1] - door) <= DOORWAY.half_height
            return np.asarray(inside_M & (in_door_M | (np.abs(place_M2[:, 0] - WALL_X) > reach)))

        return teleported(row["agent_position"], steps_way * SPEED, rng, is_free)

    def _place(self, rng: np.random.Generator, away_from: Floats | None = None) -> None:
        """Draws places until one is clear of the wall and, where asked, far from another."""
        radius = float(self._row["agent_radius"][0])
        while True:
            place = rng.uniform(BORDER + radius, SIDE - BORDER - radius, 2).astype(np.float32)
            clear = abs(place[0] - WALL_X) > WALL_HALF_WIDTH + radius
            if clear and (away_from is None or np.linalg.norm(place - away_from) > TELEPORT_PIXELS):
                self._scene._set_state(place)
                return


@POLICIES.register("swm_two_room/expert")
class SwmTwoRoomExpert(Policy):
    """Walks, with noise on every action, to a random place, through the door where it must, and on to a new one."""

    noise = np.float32(0.5)
    """Standard deviation of the noise, in units of the largest step."""

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Draws a first goal for each episode."""
        self._noise = Noise(seeds, _normal_and_place)
        self._goal_N2 = self._noise.next()[:, 2:]

    def act(self, world: World) -> Actions:
        """Returns a noisy step towards the goal or the door, float32 (N, 2)."""
        state, noise_N4 = world.state(), self._noise.next()
        place_N2, door_N = state["agent_position"], state["door"][:, 0]
        reached_N = np.linalg.norm(self._goal_N2 - place_N2, axis=1) < SUCCESS_PIXELS / 2
        self._goal_N2 = np.where(reached_N[:, None], noise_N4[:, 2:], self._goal_N2)
        side_N = np.where(place_N2[:, 0] < WALL_X, -1.0, 1.0)
        crosses_N = side_N != np.where(self._goal_N2[:, 0] < WALL_X, -1.0, 1.0)
        # Line up with the door before the wall, then walk to its far side.
        aligned_N = np.abs(place_N2[:, 1] - door_N) < 5.0
        ahead_N = np.where(aligned_N, -side_N, side_N) * (WALL_HALF_WIDTH + 15.0)
        door_N2 = np.stack([WALL_X + ahead_N, door_N], axis=1)
        way_N2 = (np.where(crosses_N[:, None], door_N2, self._goal_N2) - place_N2) / 5.0
        way_N2 = way_N2 / np.maximum(np.linalg.norm(way_N2, axis=1, keepdims=True), 1.0)
        action_N2: Floats = np.clip(way_N2 + self.noise * noise_N4[:, :2], -1, 1).astype(np.float32)
        return action_N2


def _normal_and_place(rng: np.random.Generator, steps: int) -> Floats:
    normal = rng.standard_normal((steps, 2), dtype=np.float32)
    place = rng.uniform(BORDER + 10.0, SIDE - BORDER - 10.0, (steps, 2)).astype(np.float32)
    return np.concatenate([normal, place], axis=1)


def _rgb(hue: float, saturation: float, brightness: float) -> NDArray[np.uint8]:
    colour = np.array(hue_colour(float(hue), saturation, float(brightness)))
    rgb: NDArray[np.uint8] = np.round(255 * colour).astype(np.uint8)
    return rgb
