"""Prints how fast each world steps and renders at 224 × 224 on one core, beside its package's own environment.

`OMP_NUM_THREADS=1 taskset -c 0 python tests/bench/collecting/bench_worlds.py [WORLD…]`; both sides run in turns of one
second.
"""

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from jepa.worlds import World, make_world
from jepa.worlds.adapters.packages import import_package

SIZE, COPIES, TURNS = 224, 4, 3


def package_environment(name: str) -> gymnasium.Env[Any, Any]:
    """Returns the package's own environment of the world."""
    made: gymnasium.Env[Any, Any]
    if name == "swm_two_room":
        made = import_package(name, "stable_worldmodel.envs.two_room.env").TwoRoomEnv()
    elif name == "pusht":
        made = import_package(name, "stable_worldmodel.envs.pusht.env").PushT(resolution=SIZE)
    elif name == "reacher":
        made = import_package(name, "stable_worldmodel.envs.dmcontrol.reacher").ReacherDMControlWrapper()
    else:
        package = import_package(name, "stable_worldmodel.envs.ogbench.cube_env")
        made = package.CubeEnv(mode="data_collection", visualize_info=False, height=SIZE, width=SIZE)
    return made


def frames_a_second(work: Callable[[], object], frames: int, seconds: float = 1.0) -> float:
    """Returns the frames a second of as many calls as fit into `seconds`."""
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        work()
        calls += 1
    return calls * frames / (time.perf_counter() - start)


def main() -> None:
    """Measures every world with a package behind it, or those named."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    print(f"step and render at {SIZE}×{SIZE}, frames/s of one core; the median of {TURNS} turns each")
    held = []
    for name in sys.argv[1:] or ["swm_two_room", "pusht", "reacher", "cube"]:
        ours, theirs = make_world(name, COPIES, image_size=SIZE), package_environment(name)
        ours.reset(seed=0)
        theirs.reset(seed=0)

        def step_ours(ours: World = ours) -> None:
            ours.advance(rng.uniform(-1, 1, (COPIES, ours.world_spec.action_size)).astype(np.float32))
            ours.render_pixels()

        def step_theirs(ours: World = ours, theirs: gymnasium.Env[Any, Any] = theirs) -> None:
            theirs.step(rng.uniform(-1, 1, ours.world_spec.action_size).astype(np.float32))
            theirs.render()

        step_ours()
        step_theirs()
        turns = [(frames_a_second(step_ours, COPIES), frames_a_second(step_theirs, 1)) for _ in range(TURNS)]
        mine, package = np.median(turns, axis=0)
        print(f"{name:14} ours {mine:7.1f}   package {package:7.1f}   ratio {mine / package:.2f}", flush=True)
        ours.close()
        # A renderer of dm_control that is collected frees the textures of whichever other one is current.
        held.append(theirs)


if __name__ == "__main__":
    main()
