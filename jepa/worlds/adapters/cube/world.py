"""Cube: a robot's arm and one cube on a table; physics and pictures are OGBench's, by way of stable-worldmodel.

Positions are metres in the arm's frame: x away from its base, y to its left, z upwards.
Shapes: N copies, M pairs of states, A = 5 action dimensions (gripper's x, y, z, yaw, and opening, each relative).
"""

import gc
import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Pixels
from jepa.core.errors import InputError
from jepa.worlds.adapters.cube.orientation import turn
from jepa.worlds.adapters.cube.perturbations import NEAR, PERTURBATIONS, TABLE, beside, moved_along
from jepa.worlds.adapters.mujoco_looks import render_looks
from jepa.worlds.adapters.mujoco_meshes import coarsen
from jepa.worlds.adapters.mujoco_state import close_renderer, rounded, settle
from jepa.worlds.adapters.packages import hue_colour, import_package, other_hue, quiet, require_renderer
from jepa.worlds.adapters.scene_world import Floats, Row, SceneWorld
from jepa.worlds.declarations import Factor, GoalKind, Quantity
from jepa.worlds.perturbations import hue_on_the_way
from jepa.worlds.registry import WORLDS
from jepa.worlds.success import USUAL, SuccessKind
from jepa.worlds.world import WorldSpec

SUCCESS_METRES = 0.04
STRICT_METRES, STRICT_ANGLE = 0.03, math.radians(15)
TELEPORT_METRES = 0.1
HALF_SIDE = 0.02
SHADOWS = (4096, 2048, 1024, 512, 0)
"""Sides of the shadow map that can be asked for, the package's own first; 0 draws no shadows."""
COARSEST_METRES = 0.02
CUBE_HUE = (335.0, 365.0)
RESTLESS = 1e-3
"""Metres above the table, or metres/s, from which a cube does not lie on it, or not still."""
OTHER_HUES = (60.0, 130.0, 220.0)
"""What `recolour` paints the cube with; training shows none of them."""


@WORLDS.register("cube")
class Cube(SceneWorld):
    """N tables with one cube; a step is 0.05 s of OGBench's own controller and physics."""

    world_spec = WorldSpec(
        name="cube",
        image_size=224,
        action_size=5,
        action_low=-1.0,
        action_high=1.0,
        quantities=(
            Quantity("effector_position", 3, "metre"),
            Quantity("effector_heading", 2, "1", "cosine and sine of the gripper's yaw"),
            Quantity("gripper_opening", 1, "1", "0 open, 1 closed"),
            Quantity("block_position", 3, "metre", "of the cube's centre"),
            Quantity("block_quaternion", 4, "1", "w, x, y, z"),
            Quantity("block_heading", 2, "1", "cosine and sine of the cube's yaw"),
            Quantity("joint_position", 6, "radian", "of the arm"),
            Quantity("joint_velocity", 6, "radian/s", "of the arm", motion=True),
            Quantity("gripper_contact", 1, "1", "pressure on a pad, 1 being 50 N or more", probe=False),
            Quantity("position", 21, "radian, metre", "all generalised positions", probe=False),
            Quantity("velocity", 20, "radian/s, metre/s", "all generalised velocities", probe=False),
            Quantity("control", 7, "radian, 0-255", "what arm and gripper are to hold", probe=False),
            Quantity("cube_hue", 1, "degree", probe=False),
            Quantity("light", 1, "1", "brightness of the light", probe=False),
            Quantity("cube_size", 1, "metre", "half the cube's side", probe=False),
        ),
        factors=(
            Factor("cube_hue", *CUBE_HUE, "degree", possible=(5.0, 365.0)),
            Factor("light", 0.5, 0.9, "1", possible=(0.1, 1.0)),
            Factor("cube_size", 0.017, 0.023, "metre", held_out=((0.018, 0.019), (0.021, 0.022))),
        ),
        perturbations=PERTURBATIONS,
        goal_kinds=(
            GoalKind("uniform", ("block_position",)),
            GoalKind("moved_cube", ("block_position",), "the cube has to move by over 0.04 metres"),
        ),
        distance_unit="metre",
        success="the cube's centre is within 0.04 metres of its goal position",
        success_kinds=(
            SuccessKind("moderate", "the cube's centre is within 0.04 metres of its goal", ("block_position",)),
            SuccessKind(
                "strict",
                "the cube's centre is within 0.03 metres of its goal and the cube within 15° of looking the same",
                ("block_position", "block_quaternion"),
                held=3,
            ),
        ),
        policy={"cube/expert": 1.0},
        episode_steps=200,
        objects={"block_position": 0.001},
    )

    def __init__(self, num_envs: int, image_size: int = 224, shadows: int = SHADOWS[0], mesh_cell: float = 0.0) -> None:
        """Makes N copies; physics is the same whatever the pictures are like.

        Args:
            num_envs: N.
            image_size: side of a frame in pixels.
            shadows: side of the shadow map in texels, one of `SHADOWS`.
            mesh_cell: side in metres of the cells in which vertices of the arm's meshes are merged, so that there are
                fewer faces to draw; 0 draws the package's own meshes.

        Raises:
            InputError: an option is out of range, a package is not installed, or MuJoCo has nothing to render with.
        """
        super().__init__(num_envs, image_size)
        _check_drawing(shadows, mesh_cell)
        package = import_package("cube", "stable_worldmodel.envs.ogbench.cube_env")
        require_renderer("cube")
        self._mujoco = import_package("cube", "mujoco")
        with quiet():
            self._scene = package.CubeEnv(
                env_type="single",
                ob_type="states",
                mode="data_collection",
                visualize_info=False,
                terminate_at_goal=False,
                height=image_size,
                width=image_size,
            )
            self._scene.reset()
        self._model, self._data = self._scene.model, self._scene.data
        (self._geom,) = self._scene._cube_geom_ids_list[0]
        self._mass = float(self._model.body("object_0").mass[0])
        self._inertia = self._model.body("object_0").inertia.copy()
        self._size = HALF_SIDE
        self._second = np.zeros((num_envs, 3), dtype=np.float32)
        self._frozen = np.zeros(num_envs, dtype=bool)
        """whose cube nothing moves while `freeze_block` is in force"""
        # The renderer takes both over when it is made.
        self._model.vis.quality.shadowsize = shadows
        if mesh_cell:
            coarsen(self._model, mesh_cell)
        self._scene._initialize_renderer()
        self._open(partial(close_renderer, self._scene._renderer))

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the scene and lets go of its 300 MB, whose parts refer to one another in circles."""
        super().close_extras(**kwargs)
        self._scene = self._model = self._data = None
        gc.collect()

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        """Returns how far the cube's centre is from its goal in metres, (N,)."""
        off_N3 = self._state["block_position"] - goal["block_position"]
        distance_N: Floats = np.linalg.norm(off_N3, axis=1).astype(np.float32)
        return distance_N

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        """Returns the package's own test, (N,): the cube within 0.04 metres."""
        return np.asarray(self.distance(goal, kind) <= SUCCESS_METRES)

    def meets(self, goal: Mapping[str, Floats], kind: str, success_kind: str = USUAL) -> NDArray[np.bool_]:
        """`moderate`: the package's own test; `strict`: the centre within 0.03 metres, and turned by 15° at most; (N,).

        The turn is that to the nearest of the 24 orientations in which the cube looks as in the goal.
        """
        if success_kind == "moderate":
            return self.success(goal, kind)
        if success_kind == "strict":
            turn_N = turn(self._state["block_quaternion"], goal["block_quaternion"])
            return np.asarray((self.distance(goal, kind) <= STRICT_METRES) & (turn_N <= STRICT_ANGLE))
        return super().meets(goal, kind, success_kind)

    def is_goal_of_kind(self, kind: str, start: Mapping[str, Any], goal: Mapping[str, Any]) -> NDArray[np.bool_]:
        """`moved_cube`: the cube has to move by more than the tolerance."""
        if kind != "moved_cube":
            return super().is_goal_of_kind(kind, start, goal)
        moved_M3 = np.asarray(start["block_position"]) - np.asarray(goal["block_position"])
        return np.asarray(np.linalg.norm(moved_M3, axis=1) > SUCCESS_METRES)

    def _start(self, rng: np.random.Generator, variation: Mapping[str, float]) -> None:
        scene, data = self._scene, self._data
        self._mujoco.mj_resetData(self._model, data)
        # The arm starts where the package's own inverse kinematics puts it, for a place drawn as the package draws it.
        scene.np_random = rng
        scene.variation_space["agent"]["ee_start_position"].set_value(rng.uniform(*scene._arm_sampling_bounds))
        data.qpos[scene._arm_joint_ids] = scene._home_qpos
        self._mujoco.mj_kinematics(self._model, data)
        scene.initialize_arm()
        position = rounded(data.qpos)
        position[-7:] = _resting_pose(rng, variation["cube_size"])
        look = {factor.name: rounded([variation[factor.name]]) for factor in self.world_spec.factors}
        control = np.zeros(self._model.nu, dtype=np.float32)
        control[scene._arm_actuator_ids] = position[scene._arm_joint_ids]
        velocity = np.zeros(self._model.nv, dtype=np.float32)
        self._load({**look, "position": position, "velocity": velocity, "control": control})

    def _load(self, row: Row) -> None:
        self._row = {name: row[name] for name in ("cube_hue", "light", "cube_size")}
        self._model.geom_rgba[self._geom, :3] = hue_colour(float(row["cube_hue"][0]), 0.73, 0.96)
        self._model.light_diffuse[0] = float(row["light"][0])
        self._resize(float(row["cube_size"][0]))
        self._settle(row["position"], row["velocity"], row["control"])

    def _resize(self, half_side: float) -> None:
        """Gives the cube another size and the mass that goes with it, as a compilation of the model would."""
        if half_side == self._size:
            return
        model, ratio = self._model, half_side / HALF_SIDE
        model.geom_size[self._geom] = half_side
        model.geom_aabb[self._geom, 3:] = half_side
        model.geom_rbound[self._geom] = half_side * np.sqrt(3)
        body = model.body("object_0")
        body.mass[0], body.inertia[:] = self._mass * ratio**3, self._inertia * ratio**5
        self._mujoco.mj_setConst(model, self._data)
        self._size = half_side

    def _settle(self, position: Floats, velocity: Floats, control: Floats) -> None:
        self._row |= {"position": position, "velocity": velocity, "control": control}
        settle(self._mujoco, self._model, self._data, position, velocity, control)
        self._mujoco.mj_rnePostConstraint(self._model, self._data)

    def _move(self, action_A: Floats) -> None:
        scene, data = self._scene, self._data
        before = self._row["position"][-7:]
        scene.set_control(action_A.astype(np.float64))
        self._mujoco.mj_step(self._model, data, nstep=scene._n_steps)
        position, velocity = rounded(data.qpos), rounded(data.qvel)
        if self._lasting.acts("freeze_block") and self._frozen[self._turn]:
            position[-7:], velocity[-6:] = before, 0
        self._settle(position, velocity, rounded(data.ctrl))

    def _read(self) -> Row:
        self._scene._prev_qpos, self._scene._prev_qvel = self._data.qpos, self._data.qvel
        info = self._scene.compute_ob_info()
        effector_yaw, block_yaw = info["proprio/effector_yaw"][0], info["privileged/block_0_yaw"][0]
        return {
            "effector_position": rounded(info["proprio/effector_pos"]),
            "effector_heading": rounded([np.cos(effector_yaw), np.sin(effector_yaw)]),
            "gripper_opening": rounded(info["proprio/gripper_opening"]),
            "block_position": self._row["position"][-7:-4],
            "block_quaternion": self._row["position"][-4:],
            "block_heading": rounded([np.cos(block_yaw), np.sin(block_yaw)]),
            "joint_position": self._row["position"][self._scene._arm_joint_ids],
            "joint_velocity": self._row["velocity"][self._scene._arm_joint_ids],
            "gripper_contact": rounded(info["proprio/gripper_contact"]),
            **self._row,
        }

    def _render(self) -> Pixels:
        picture = np.array(self._scene.render())
        if not self._lasting.looks:
            return picture
        twice = self._lasting.strength("duplicate") > 0
        second = partial(beside, self._second[self._turn]) if twice else None
        return render_looks(self._mujoco, self._scene._renderer, [self._geom], self._lasting, second)

    def _disturb(self, kind: str, row: Row, rng: np.random.Generator, strength: float | None) -> bool:
        full, half_side = self.world_spec.perturbation(kind).full(strength), float(row["cube_size"][0])
        position, velocity = row["position"].copy(), row["velocity"].copy()
        if kind == "recolour":
            present = float(row["cube_hue"][0])
            hue = hue_on_the_way(present, other_hue(present, OTHER_HUES, rng), strength)
            self._load({**row, "cube_hue": rounded([hue])})
            return True
        if kind == "freeze_block":
            off, speed = row["block_position"] - row["effector_position"], velocity[-6:]
            self._frozen[self._turn] = np.linalg.norm(off) < NEAR or np.abs(speed).max() > RESTLESS
            return bool(self._frozen[self._turn])
        if kind == "duplicate":
            self._second[self._turn] = moved_along(position[-7:-4], full, rng) - position[-7:-4]
        if kind == "pass_through":
            if abs(position[-5] - half_side) > RESTLESS:
                return False
            position[-5] -= np.float32(2 * full * half_side)
            self._settle(position, velocity, row["control"])
        if kind == "teleport":
            position[-7:] = self._pose_elsewhere(row, rng, strength)
            velocity[-6:] = 0
            self._settle(position, velocity, row["control"])
        return True

    @staticmethod
    def _pose_elsewhere(row: Row, rng: np.random.Generator, strength: float | None) -> Floats:
        here = row["position"][-7:]
        if strength is not None:
            return np.concatenate([moved_along(here[:3], strength, rng), here[3:]])
        while True:
            pose = _resting_pose(rng, float(row["cube_size"][0]))
            if np.linalg.norm(pose[:2] - row["block_position"][:2]) >= TELEPORT_METRES:
                return pose


def _check_drawing(shadows: int, mesh_cell: float) -> None:
    if shadows not in SHADOWS:
        sides = ", ".join(str(side) for side in SHADOWS[:-1])
        raise InputError(
            f"shadows is {shadows}; world 'cube' draws a shadow map of {sides} texels a side, or none with 0"
        )
    if not 0 <= mesh_cell <= COARSEST_METRES:
        raise InputError(
            f"mesh_cell is {mesh_cell:g}; world 'cube' merges vertices in cells of up to {COARSEST_METRES} metres, and "
            "with 0 none"
        )


def _resting_pose(rng: np.random.Generator, half_side: float) -> Floats:
    """Returns the place and quaternion of a cube that lies somewhere on the table, turned about the vertical, (7,)."""
    half_yaw = rng.uniform(0, np.pi)
    return rounded([*rng.uniform(*TABLE), half_side, np.cos(half_yaw), 0, 0, np.sin(half_yaw)])
