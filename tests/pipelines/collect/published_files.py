"""HDF5 files of the four worlds as LeWM publishes them: the packages' own columns and, for two worlds, their pictures.

Reacher and Cube as they are reset look different in each episode, so their pictures come out of our worlds, in the
usual look; columns and the order of their values are the packages' own in either case.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from jepa.worlds import make_world
from jepa.worlds.adapters.packages import import_package, quiet, resize
from tests.pipelines.collect.files import episodes_file

Rows = dict[str, list[NDArray[Any]]]
Step = tuple[NDArray[np.uint8], Mapping[str, Any]]

SIDE = 32
FRAMES = 27
"""Of an episode: one more than a goal 25 steps ahead of the second frame needs."""


class Recorder(Protocol):
    """An environment that is reset and stepped, each time with its frame and its columns."""

    action_size: int

    def reset(self, seed: int) -> Step: ...

    def step(self, action: NDArray[np.float32]) -> Step: ...

    def close(self) -> None: ...


def published_file(world: str, path: Path, episodes: int = 8) -> str:
    """Writes episodes of random actions in the published columns and returns the path."""
    rows: Rows = {}
    recorder = RECORDERS[world]()
    for episode in range(episodes):
        rng = np.random.default_rng(episode)
        pixels, columns = recorder.reset(episode)
        for frame in range(FRAMES):
            action = rng.uniform(-1, 1, recorder.action_size).astype(np.float32)
            # The last row leads nowhere, which the package's writer says by NaN.
            last = frame == FRAMES - 1
            row = {"pixels": pixels, "action": np.full_like(action, np.nan) if last else action, **columns}
            for name, value in row.items():
                rows.setdefault(name, []).append(np.asarray(value))
            if not last:
                pixels, columns = recorder.step(action)
    recorder.close()
    stacked: dict[str, Any] = {name: np.stack(values) for name, values in rows.items()}
    return episodes_file(path, (FRAMES,) * episodes, **stacked)


class PackageScene:
    """The package's environment itself: what it renders and what it says of its state."""

    action_size = 2

    def __init__(self, module: str, name: str, **options: Any) -> None:
        package = import_package("published", module)
        with quiet():
            self._scene = getattr(package, name)(**options)

    def reset(self, seed: int) -> Step:
        with quiet():
            observation, info = self._scene.reset(seed=seed)
        return self._seen(observation, info)

    def step(self, action: NDArray[np.float32]) -> Step:
        observation, _, _, _, info = self._scene.step(action)
        return self._seen(observation, info)

    def close(self) -> None:
        self._scene.close()

    def _seen(self, observation: Any, info: Mapping[str, Any]) -> Step:
        held = observation if isinstance(observation, dict) else info
        return resize(self._scene.render(), SIDE), {name: held[name] for name in ("proprio", "state")}


class OurScene:
    """Our world, and the package's words for the state that it is in."""

    def __init__(self, world: str, look: Mapping[str, float], columns: tuple[str, ...]) -> None:
        self._world, self._look, self._columns = make_world(world, 1, image_size=SIDE), look, columns
        self.action_size = self._world.world_spec.action_size

    def reset(self, seed: int) -> Step:
        self._world.begin([seed], [self._look])
        return self._seen()

    def step(self, action: NDArray[np.float32]) -> Step:
        self._world.advance(action[None])
        return self._seen()

    def close(self) -> None:
        self._world.close()

    def _seen(self) -> Step:
        scene: Any = self._world._scene  # type: ignore[attr-defined]
        info = scene.compute_ob_info() if hasattr(scene, "compute_ob_info") else scene.info
        return self._world.render_pixels()[0], {name: info[name] for name in self._columns}


CUBE = (
    *(f"proprio/{name}" for name in ("joint_pos", "joint_vel", "effector_pos", "effector_yaw", "gripper_opening")),
    *(f"privileged/block_0_{name}" for name in ("pos", "quat", "yaw")),
    *("proprio/gripper_contact", "qpos", "qvel", "control"),
)
RECORDERS: dict[str, Callable[[], Recorder]] = {
    "pusht": lambda: PackageScene("stable_worldmodel.envs.pusht.env", "PushT", resolution=SIDE),
    "swm_two_room": lambda: PackageScene("stable_worldmodel.envs.two_room.env", "TwoRoomEnv"),
    "reacher": lambda: OurScene(
        "reacher", {"arm_hue": 30.0, "light": 0.7, "arm_density": 1000.0}, ("qpos", "qvel", "finger_pos")
    ),
    "cube": lambda: OurScene("cube", {"cube_hue": 354.0, "light": 0.7, "cube_size": 0.02}, CUBE),
}
