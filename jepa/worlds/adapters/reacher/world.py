"""Reacher: a planar arm of two joints; the physics and the pictures are dm_control's, by way of stable-worldmodel.

Shapes: N copies, A = 2 action dimensions (a torque on shoulder and wrist).
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels
from jepa.worlds.adapters.mujoco_looks import render_looks
from jepa.worlds.adapters.mujoco_state import close_renderer, rounded, settle
from jepa.worlds.adapters.packages import hue_colour, import_package, other_hue, quiet, require_renderer
from jepa.worlds.adapters.reacher.perturbations import PERTURBATIONS, turned, way_round
from jepa.worlds.adapters.scene_world import Floats, Row, SceneWorld
from jepa.worlds.declarations import Factor, GoalKind, Quantity
from jepa.worlds.perturbations import hue_on_the_way
from jepa.worlds.policies import POLICIES, Noise, Policy
from jepa.worlds.registry import WORLDS
from jepa.worlds.success import USUAL, SuccessKind
from jepa.worlds.world import World, WorldSpec

SUCCESS_RADIANS = 0.05
STRICT_METRES = 0.01
WRIST_LIMIT = math.radians(155)
"""The wrist's stop is at 160°."""
TELEPORT_RADIANS = 1.0
DENSITY = 1000.0
"""The arm's own density in the model, kg/m³."""
OTHER_HUES = (140.0, 220.0, 290.0)
"""What `recolour` paints the arm with; training shows none of them."""
HALF_VIEW = 0.75 * math.tan(math.radians(22.5))
"""Half the scene's width in metres that the camera above it sees."""


@WORLDS.register("reacher")
class Reacher(SceneWorld):
    """N arms; an action is held for two control steps of 0.02 s, as the package has it, and the target is not shown."""

    world_spec = WorldSpec(
        name="reacher",
        image_size=224,
        action_size=2,
        action_low=-1.0,
        action_high=1.0,
        quantities=(
            Quantity("joint_heading", 4, "1", "cosine of shoulder and wrist, then sine of both"),
            Quantity("finger_position", 2, "metre", "x to the right, y upwards"),
            Quantity("joint_position", 2, "radian", "shoulder, unlimited, and wrist", probe=False),
            Quantity("joint_velocity", 2, "radian/s", probe=False, motion=True),
            Quantity("arm_hue", 1, "degree", probe=False),
            Quantity("light", 1, "1", "brightness of the light", probe=False),
            Quantity("arm_density", 1, "kg/m³", "of the upper arm", probe=False),
        ),
        factors=(
            Factor("arm_hue", 0.0, 60.0, "degree", possible=(0.0, 360.0)),
            Factor("light", 0.5, 0.9, "1", possible=(0.1, 1.0)),
            Factor(
                "arm_density",
                500.0,
                1500.0,
                "kg/m³",
                held_out=((700.0, 800.0), (1200.0, 1300.0)),
                possible=(100.0, 5000.0),
            ),
        ),
        perturbations=PERTURBATIONS,
        goal_kinds=(GoalKind("uniform", ("joint_position",)),),
        distance_unit="radian",
        success="shoulder and wrist are each within 0.05 radians of their goal angles",
        success_kinds=(
            SuccessKind(
                "moderate",
                "shoulder, the shorter way round, and wrist are each within 0.05 radians of their goal angles",
                ("joint_position",),
            ),
            SuccessKind("strict", "the fingertip is within 0.01 metres of its goal", ("finger_position",), held=2),
        ),
        policy={"reacher/controller": 0.7, "random": 0.3},
        path_quantity="finger_position",
        frame_extent=(-HALF_VIEW, HALF_VIEW, -HALF_VIEW, HALF_VIEW),
    )

    def __init__(self, num_envs: int, image_size: int = 224) -> None:
        """Makes N copies.

        Raises:
            InputError: a package is not installed, or MuJoCo has nothing to render with.
        """
        super().__init__(num_envs, image_size)
        package = import_package("reacher", "stable_worldmodel.envs.dmcontrol.reacher")
        require_renderer("reacher")
        self._mujoco = import_package("reacher", "mujoco")
        with quiet():
            self._scene = package.ReacherDMControlWrapper(task="qpos_match")
            self._scene.reset(seed=0)
        physics = self._scene.env.physics
        self._model, self._data = physics.model.ptr, physics.data.ptr
        self._mass = float(self._model.body("arm").mass[0])
        self._inertia = self._model.body("arm").inertia.copy()
        self._look: tuple[float, ...] = ()
        self._arm = [self._model.geom(name).id for name in ("arm", "hand", "finger")]
        self._second = np.zeros(num_envs)
        # dm_control's own renderer, when it is collected, frees the textures of whatever other renderer is current.
        self._renderer = self._mujoco.Renderer(self._model, image_size, image_size)
        self._open(partial(close_renderer, self._renderer))

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        """Returns √(Δshoulder² + Δwrist²) in radians, (N,): below 0.05 success is certain."""
        off_N2 = self._state["joint_position"] - goal["joint_position"]
        distance_N: Floats = np.linalg.norm(off_N2, axis=1).astype(np.float32)
        return distance_N

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        """Returns the package's own test, (N,): every joint within 0.05 radians."""
        off_N2 = np.abs(self._state["joint_position"] - goal["joint_position"])
        return np.asarray((off_N2 < SUCCESS_RADIANS).all(axis=1))

    def meets(self, goal: Mapping[str, Floats], kind: str, success_kind: str = USUAL) -> NDArray[np.bool_]:
        """`moderate`: as the package's test, the shoulder's full turns aside; `strict`: the fingertip's place; (N,)."""
        if success_kind == "moderate":
            off_N2 = self._state["joint_position"] - goal["joint_position"]
            # The shoulder has no stop, so that a full turn leads back; the wrist has one.
            off_N2[:, 0] = (off_N2[:, 0] + math.pi) % (2 * math.pi) - math.pi
            return np.asarray((np.abs(off_N2) < SUCCESS_RADIANS).all(axis=1))
        if success_kind == "strict":
            off_N2 = self._state["finger_position"] - goal["finger_position"]
            return np.asarray(np.linalg.norm(off_N2, axis=1) <= STRICT_METRES)
        return super().meets(goal, kind, success_kind)

    def _start(self, rng: np.random.Generator, variation: Mapping[str, float]) -> None:
        look = {factor.name: rounded([variation[factor.name]]) for factor in self.world_spec.factors}
        self._load({**look, "joint_position": random_pose(rng), "joint_velocity": np.zeros(2, dtype=np.float32)})

    def _load(self, row: Row) -> None:
        look = tuple(float(row[factor.name][0]) for factor in self.world_spec.factors)
        if look != self._look:
            self._dress(*look)
        self._row = dict(row)
        self._settle(row["joint_position"], row["joint_velocity"])

    def _dress(self, hue: float, light: float, density: float) -> None:
        model, heavier = self._model, density / DENSITY
        model.material("self").rgba[:3] = hue_colour(hue, 0.57, 0.7)
        model.light_diffuse[0] = light
        # The arm's body is one geometry, so that mass and inertia go with its density.
        model.body("arm").mass[0], model.body("arm").inertia[:] = self._mass * heavier, self._inertia * heavier
        self._mujoco.mj_setConst(model, self._data)
        self._look = hue, light, density

    def _settle(self, position: Floats, velocity: Floats) -> None:
        self._row |= {"joint_position": position, "joint_velocity": velocity}
        settle(self._mujoco, self._model, self._data, position, velocity, np.zeros(2, dtype=np.float32))

    def _move(self, action_A: Floats) -> None:
        if self._lasting.acts("freeze"):
            self._settle(self._row["joint_position"], np.zeros(2, dtype=np.float32))
            return
        self._data.ctrl[:] = action_A
        self._mujoco.mj_step(self._model, self._data, nstep=self._scene.action_repeat * self._scene.env._n_sub_steps)
        self._settle(rounded(self._data.qpos), rounded(self._data.qvel))

    def _read(self) -> Row:
        angle_2 = self._row["joint_position"]
        finger_2 = rounded(self._data.geom("finger").xpos[:2])
        heading_4 = rounded([math.cos(angle_2[0]), math.cos(angle_2[1]), math.sin(angle_2[0]), math.sin(angle_2[1])])
        return {**self._row, "joint_heading": heading_4, "finger_position": finger_2}

    def _render(self) -> Pixels:
        self._renderer.update_scene(self._data, camera=self._scene.camera_id)
        if self._lasting.looks:
            twice = self._lasting.strength("duplicate") > 0
            second = partial(turned, float(self._second[self._turn])) if twice else None
            return render_looks(self._mujoco, self._renderer, self._arm, self._lasting, second)
        return np.array(self._renderer.render())

    def _disturb(self, kind: str, row: Row, rng: np.random.Generator, strength: float | None) -> bool:
        full, pose, velocity = (
            self.world_spec.perturbation(kind).full(strength),
            row["joint_position"],
            row["joint_velocity"],
        )
        if kind == "recolour":
            present = float(row["arm_hue"][0])
            hue = hue_on_the_way(present, other_hue(present, OTHER_HUES, rng), strength)
            self._load({**row, "arm_hue": rounded([hue])})
        elif kind == "duplicate":
            self._second[self._turn] = way_round(rng) * full
        elif kind == "reverse_velocity":
            self._settle(pose, rounded((1 - 2 * full) * velocity))
        elif kind == "teleport" and strength is not None:
            self._settle(rounded([pose[0] + way_round(rng) * full, pose[1]]), velocity)
        elif kind == "teleport":
            self._settle(_pose_elsewhere(pose, rng), np.zeros(2, dtype=np.float32))
        return True


def _pose_elsewhere(pose: Floats, rng: np.random.Generator) -> Floats:
    while True:
        other = random_pose(rng)
        turned = np.abs((other - pose + math.pi) % (2 * math.pi) - math.pi)
        if turned[0] > TELEPORT_RADIANS:
            return other


def random_pose(rng: np.random.Generator) -> Floats:
    """Returns angles of shoulder and wrist, uniform within their limits, (2,)."""
    return rounded([rng.uniform(-math.pi, math.pi), rng.uniform(-WRIST_LIMIT, WRIST_LIMIT)])


@POLICIES.register("reacher/controller")
class ReacherController(Policy):
    """Turns both joints to a random pose by a proportional and derivative law with noise, and on to another one."""

    stiffness = np.array([0.8, 0.5], dtype=np.float32)
    damping = np.array([0.25, 0.12], dtype=np.float32)
    """Torque a radian and a radian/s, in units of the largest torque, of shoulder and wrist."""
    noise = np.float32(0.15)
    """Standard deviation of the noise on each torque."""
    reached = 0.1
    """Radians from the pose, in both joints, at which the next one is drawn."""

    def begin(self, world: World, seeds: Sequence[int]) -> None:
        """Draws a first pose for each episode."""
        self._noise = Noise(seeds, _normal_and_pose)
        self._goal_N2 = self._noise.next()[:, 2:]

    def act(self, world: World) -> Actions:
        """Returns torques, float32 (N, 2)."""
        state, noise_N4 = world.state(), self._noise.next()
        off_N2 = self._goal_N2 - state["joint_position"]
        # The shoulder has no stop and takes the shorter way round.
        off_N2[:, 0] = (off_N2[:, 0] + math.pi) % (2 * math.pi) - math.pi
        reached_N = (np.abs(off_N2) < self.reached).all(axis=1)
        self._goal_N2 = np.where(reached_N[:, None], noise_N4[:, 2:], self._goal_N2)
        torque_N2 = self.stiffness * off_N2 - self.damping * state["joint_velocity"]
        action_N2: Floats = np.clip(torque_N2 + self.noise * noise_N4[:, :2], -1, 1).astype(np.float32)
        return action_N2


def _normal_and_pose(rng: np.random.Generator, steps: int) -> Floats:
    normal = rng.standard_normal((steps, 2), dtype=np.float32)
    return np.concatenate([normal, np.stack([random_pose(rng) for _ in range(steps)])], axis=1)
