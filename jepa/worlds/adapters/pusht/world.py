"""Push-T: a disk pushes a T-shaped block; the physics and the pictures are those of stable-worldmodel's `swm/PushT-v1`.

Positions are pixels of the package's 512 × 512 window, x to the right and y downwards, whatever the image's size.
Shapes: N copies, M pairs of states, A = 2 action dimensions.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels, State
from jepa.core.seeds import episode_generator
from jepa.worlds.adapters.packages import import_package, quiet
from jepa.worlds.adapters.pusht.bodies import INSIDE, place, read
from jepa.worlds.adapters.pusht.perturbations import (
    MOVES,
    PERTURBATIONS,
    block_elsewhere,
    draw,
    hold_block,
    strike,
)
from jepa.worlds.declarations import Factor, GoalKind, Quantity, Shift
from jepa.worlds.perturbations import Perturbation, part_way
from jepa.worlds.registry import WORLDS
from jepa.worlds.success import USUAL, SuccessKind
from jepa.worlds.world import World, WorldSpec

Floats = NDArray[np.float32]

SUCCESS_PIXELS = 20.0
SUCCESS_ANGLE = math.pi / 9
STRICT_PIXELS, STRICT_ANGLE = 10.0, math.pi / 18
PIXELS_A_RADIAN = SUCCESS_PIXELS / SUCCESS_ANGLE
"""Makes an angle comparable with a displacement: both tolerances of the success test weigh the same in a distance."""

POSE = ("agent_position", "block_position", "block_angle")
"""What a goal of either kind is scored by."""
AGENT_RANGE, BLOCK_RANGE = (50.0, 450.0), (100.0, 400.0)
"""Where the package starts agent and block, each coordinate."""
CLEARANCE = 22.0
"""Least distance of a newly placed agent's centre from the block: its largest radius of 18 and a little."""
TELEPORT_PIXELS = 120.0

AGENT_RADIUS = 15.0
PRESSED = 6.0
"""How far, in pixels, a push may press the agent into the block; 3.7 was the most in nine episodes of 60 steps."""
SCALE_A_RADIUS = 40 / AGENT_RADIUS
"""The package tells an agent's size by a scale, 40 for its usual one."""
BLOCK_COLOUR = (119, 136, 153)
OTHER_COLOURS = ((200, 60, 50), (150, 70, 190), (225, 140, 30))
"""What `recolour` paints the block with; training shows none of them."""


@WORLDS.register("pusht")
class PushT(World):
    """N Push-T scenes; the action is the agent's target relative to where it is, in units of 100 pixels.

    A step ends on float32 values and with a solver that remembers no contact, so that the state is all there is: a
    restored one shows the same pixels and goes on bit for bit as the recorded one did. README.md beside this file says
    by how much that differs from the package's own uninterrupted run.
    """

    world_spec = WorldSpec(
        name="pusht",
        image_size=224,
        action_size=2,
        action_low=-1.0,
        action_high=1.0,
        quantities=(
            Quantity("agent_position", 2, "pixel of 512"),
            Quantity("block_position", 2, "pixel of 512", "middle of the T's top edge"),
            Quantity("block_heading", 2, "1", "cosine and sine of the block's angle"),
            Quantity("block_angle", 1, "radian", "in [0, 2π)", probe=False),
            Quantity("agent_velocity", 2, "pixel/s", probe=False, motion=True),
            Quantity(
                "block_velocity", 3, "pixel/s, radian/s", "of the origin, and the angle's", probe=False, motion=True
            ),
            Quantity("block_colour", 3, "0-255", "red, green, blue", probe=False, fixed=True),
            Quantity("agent_radius", 1, "pixel of 512", probe=False),
            Quantity("floor", 1, "1", "brightness of the floor", probe=False),
        ),
        factors=(
            Factor(
                "agent_radius",
                12.0,
                18.0,
                "pixel of 512",
                held_out=((13.0, 14.0), (16.0, 17.0)),
                possible=(6.0, CLEARANCE - 1),
            ),
            Factor("floor", 0.85, 1.0, "1", possible=(0.2, 1.0)),
        ),
        perturbations=PERTURBATIONS,
        goal_kinds=(
            GoalKind("uniform", POSE),
            GoalKind("moved_block", POSE, "the block has to move by over 20 pixels or turn by over 20°"),
        ),
        distance_unit="pixel of 512",
        success="agent and block together within 20 pixels of their goal positions, the block within 20° of its angle",
        success_kinds=(
            SuccessKind("moderate", "agent and block together within 20 pixels, the block within 20°", POSE),
            SuccessKind(
                "strict",
                "the block alone within 10 pixels of its goal position and 10° of its angle",
                ("block_position", "block_angle"),
                held=3,
            ),
        ),
        policy={"pusht/expert": 0.6, "pusht/pusher": 0.2, "pusht/near_block": 0.2},
        path_quantity="agent_position",
        frame_extent=(0.0, 512.0, 512.0, 0.0),
        objects={"block_position": 1.0},
        protocol="pusht-tiny-v2",
        preset="tiny",
        shifts=(Shift("block_brightness", 1.0, 0.3, 1.6, "1", "of the block's colour, 1 as in training"),),
    )

    def __init__(
        self, num_envs: int, image_size: int = 224, with_target: bool = True, block_brightness: float = 1.0
    ) -> None:
        """Makes N scenes; `with_target` draws the package's fixed green T, which is no goal of ours.

        Raises:
            InputError: stable-worldmodel or what it needs is not installed.
        """
        super().__init__(num_envs, image_size)
        package = import_package("pusht", "stable_worldmodel.envs.pusht.env")
        with quiet():
            self._scenes = [package.PushT(resolution=image_size, with_target=with_target) for _ in range(num_envs)]
            for scene in self._scenes:
                scene.reset(seed=0)
        self._usual_colour_3 = np.round(np.array(BLOCK_COLOUR) * block_brightness).astype(np.float32)
        self._colour_N3 = np.tile(self._usual_colour_3, (num_envs, 1))
        self._second_N2 = np.zeros((num_envs, 2), dtype=np.float32)
        """where a duplicate is, seen from the block"""
        self._radius_N1 = np.full((num_envs, 1), AGENT_RADIUS, dtype=np.float32)
        self._floor_N1 = np.ones((num_envs, 1), dtype=np.float32)

    def begin(self, seeds: Sequence[int], variations: Sequence[Mapping[str, float]]) -> None:
        """Places agent and block apart from each other and inside the walls, at rest, drawn from each copy's seed."""
        self._lasting.clear()
        self._colour_N3[:] = self._usual_colour_3
        self._radius_N1[:, 0] = [variation["agent_radius"] for variation in variations]
        self._floor_N1[:, 0] = [variation["floor"] for variation in variations]
        self._dress()
        for scene, seed in zip(self._scenes, seeds, strict=True):
            _place_anywhere(scene, episode_generator(seed, "scene"))

    def advance(self, action_NA: Actions) -> None:
        """Runs the package's controller and physics for 0.1 s in every copy, without rendering."""
        carried_out_NA = self._lasting.action(np.clip(action_NA, -1, 1), idle=0.0).astype(np.float64)
        for scene, action in zip(self._scenes, carried_out_NA, strict=True):
            before_10 = read(scene)
            scene.step(action)
            # Rounding here, not when recording, lets a restored float32 state be the very state that went on.
            place(scene, read(scene))
            if self._lasting.acts("freeze_block"):
                hold_block(scene, before_10)
        self._lasting.end_step()

    def render_pixels(self) -> Pixels:
        """Returns the package's own pictures, uint8 (N, H, W, 3); the block is painted in its present colour."""
        frames = []
        for scene, second_2 in zip(self._scenes, self._second_N2, strict=True):
            # What overlaps is drawn in an order that depends on the space's past; a new one always draws alike.
            body_10 = read(scene)
            scene._setup()
            place(scene, body_10)
            frames.append(draw(scene, self._lasting, second_2) if self._lasting.looks else scene.render())
        return np.stack(frames)

    def state(self) -> State:
        """Returns the quantities of `world_spec`, float32 (N, d)."""
        body_N10 = np.array([read(scene) for scene in self._scenes], dtype=np.float32)
        angle_N1 = body_N10[:, 4:5]
        return {
            "agent_position": body_N10[:, 0:2],
            "block_position": body_N10[:, 2:4],
            "block_heading": np.array(
                [[math.cos(angle), math.sin(angle)] for angle in angle_N1[:, 0]], dtype=np.float32
            ),
            "block_angle": angle_N1,
            "agent_velocity": body_N10[:, 5:7],
            "block_velocity": body_N10[:, 7:10],
            "block_colour": self._colour_N3.copy(),
            "agent_radius": self._radius_N1.copy(),
            "floor": self._floor_N1.copy(),
        }

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Sets up every scene again in a recorded state, so that nothing of its past goes on acting."""
        parts = ("agent_position", "block_position", "block_angle", "agent_velocity", "block_velocity")
        body_N10 = np.concatenate([np.asarray(state[name], dtype=np.float32) for name in parts], axis=1)
        self._colour_N3 = np.array(state["block_colour"], dtype=np.float32)
        self._radius_N1 = np.array(state["agent_radius"], dtype=np.float32)
        self._floor_N1 = np.array(state["floor"], dtype=np.float32)
        self._lasting.clear()
        self._dress()
        for scene, body_10 in zip(self._scenes, body_N10, strict=True):
            scene._setup()
            place(scene, body_10.tolist())

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        """Returns √(‖Δagent‖² + ‖Δblock‖² + (57.3 Δangle)²) in pixels, (N,): below 20 success is certain."""
        position_N, angle_N = _differences(self.state(), goal)
        return np.asarray(np.sqrt(position_N**2 + (PIXELS_A_RADIAN * angle_N) ** 2), dtype=np.float32)

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        """Returns the package's own test (N,): under 20 pixels over agent and block together and under π/9 in angle."""
        position_N, angle_N = _differences(self.state(), goal)
        return np.asarray((position_N < SUCCESS_PIXELS) & (angle_N < SUCCESS_ANGLE))

    def meets(self, goal: Mapping[str, Floats], kind: str, success_kind: str = USUAL) -> NDArray[np.bool_]:
        """`moderate`: the package's own test; `strict`: the block alone, under 10 pixels and π/18 in angle; (N,)."""
        if success_kind == "moderate":
            return self.success(goal, kind)
        if success_kind == "strict":
            state = self.state()
            off_N = np.linalg.norm(state["block_position"] - goal["block_position"], axis=1)
            turned_N = _angle_between(state["block_angle"][:, 0], goal["block_angle"][:, 0])
            return np.asarray((off_N < STRICT_PIXELS) & (turned_N < STRICT_ANGLE))
        return super().meets(goal, kind, success_kind)

    def possible(self) -> NDArray[np.bool_]:
        """Returns whether each agent is clear of the block but for what a push presses them together, (N,)."""
        gap_N = [min(shape.point_query(s.agent.position).distance for shape in s.block.shapes) for s in self._scenes]
        return np.asarray(np.array(gap_N) > self._radius_N1[:, 0] - PRESSED)

    def _strike(self, kind: str, rngs: Sequence[np.random.Generator], strength: float | None) -> NDArray[np.bool_]:
        if kind == "teleport" and strength is None:
            for scene, rng in zip(self._scenes, rngs, strict=True):
                _place_anywhere(scene, rng, away_from=read(scene))
        elif kind == "recolour":
            others = [[one for one in OTHER_COLOURS if one != tuple(colour)] for colour in self._colour_N3.tolist()]
            painted = [those[rng.integers(len(those))] for those, rng in zip(others, rngs, strict=True)]
            self._colour_N3 = np.round(part_way(self._colour_N3, np.array(painted, dtype=np.float32), strength))
            self._dress()
        else:
            return self._struck_each(self.world_spec.perturbation(kind), rngs, strength)
        return np.ones(self.num_envs, dtype=bool)

    def _struck_each(
        self, kind: Perturbation, rngs: Sequence[np.random.Generator], strength: float | None
    ) -> NDArray[np.bool_]:
        full, struck = kind.full(strength), []
        if kind.name not in MOVES:
            self._lasting.start(kind, full)
        for n, (scene, rng) in enumerate(zip(self._scenes, rngs, strict=True)):
            radius = float(self._radius_N1[n, 0])
            struck.append(strike(scene, kind.name, rng, full, radius))
            if kind.name == "duplicate_block":
                self._second_N2[n] = block_elsewhere(scene, rng, full, radius) - read(scene)[2:4]
        return np.array(struck)

    def is_goal_of_kind(self, kind: str, start: Mapping[str, Any], goal: Mapping[str, Any]) -> NDArray[np.bool_]:
        """`moved_block`: the block has to move by more than a tolerance: no motion of the agent alone succeeds."""
        if kind != "moved_block":
            return super().is_goal_of_kind(kind, start, goal)
        moved_M = np.linalg.norm(np.asarray(start["block_position"]) - np.asarray(goal["block_position"]), axis=1)
        turned_M = _angle_between(np.asarray(start["block_angle"])[:, 0], np.asarray(goal["block_angle"])[:, 0])
        return np.asarray((moved_M > SUCCESS_PIXELS) | (turned_M > SUCCESS_ANGLE))

    def _dress(self) -> None:
        """Tells every scene its colours and sizes, which it takes when it is set up next."""
        for n, scene in enumerate(self._scenes):
            vary = scene.variation_space
            vary["agent"]["scale"].set_value(np.array(SCALE_A_RADIUS * self._radius_N1[n, 0], dtype=np.float32))
            vary["block"]["color"].set_value(self._colour_N3[n].astype(np.uint8))
            vary["background"]["color"].set_value(np.full(3, round(255 * float(self._floor_N1[n, 0])), dtype=np.uint8))

    def close_extras(self, **kwargs: Any) -> None:
        """Closes every scene."""
        for scene in self._scenes:
            scene.close()


def _place_anywhere(scene: Any, rng: np.random.Generator, away_from: Sequence[float] | None = None) -> None:
    """Draws poses until the block is inside the walls, the agent clear of it and both far from where they were."""
    scene._setup()
    while True:
        agent, block = rng.uniform(*AGENT_RANGE, 2), rng.uniform(*BLOCK_RANGE, 2)
        body_10 = [*agent, *block, rng.uniform(0, 2 * math.pi), 0.0, 0.0, 0.0, 0.0, 0.0]
        place(scene, np.array(body_10, dtype=np.float32).tolist())
        boxes = [shape.bb for shape in scene.block.shapes]
        inside = all(min(box.left, box.bottom) > INSIDE[0] and max(box.right, box.top) < INSIDE[1] for box in boxes)
        clear = all(shape.point_query(scene.agent.position).distance > CLEARANCE for shape in scene.block.shapes)
        far = away_from is None or all(
            math.dist(body_10[part], away_from[part]) > TELEPORT_PIXELS for part in (slice(0, 2), slice(2, 4))
        )
        if inside and clear and far:
            return


def _differences(
    state: Mapping[str, Floats], goal: Mapping[str, Floats]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns how far agent and block together are in pixels, and the block in radians, (N,) each."""
    parts = [np.asarray(state[name], dtype=np.float64) - goal[name] for name in ("agent_position", "block_position")]
    return np.linalg.norm(np.concatenate(parts, axis=1), axis=1), _angle_between(
        state["block_angle"][:, 0], goal["block_angle"][:, 0]
    )


def _angle_between(a_M: NDArray[Any], b_M: NDArray[Any]) -> NDArray[np.float64]:
    difference_M = np.abs(np.asarray(a_M, dtype=np.float64) - b_M) % (2 * math.pi)
    return np.asarray(np.minimum(difference_M, 2 * math.pi - difference_M))
