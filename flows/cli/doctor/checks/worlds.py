"""The worlds: one small frame of each, drawn as a collection draws it."""

import time

from flows.cli.doctor.findings import Asked, Report, Step
from jepa.worlds import WORLDS, make_world

SIDE = 32


def check(asked: Asked, report: Report) -> None:
    """Renders them in turn; those that MuJoCo draws come last, for a bad driver may end the process."""
    first = ("two_room", "pusht", "swm_two_room")
    for name in sorted(WORLDS.names(), key=lambda name: (name not in first, name != "two_room", name)):
        with report.step(name) as step:
            _render(name, step)


def _render(name: str, step: Step) -> None:
    began = time.monotonic()
    world = make_world(name, 1, image_size=SIDE)
    try:
        frames, _ = world.reset(seed=0)
    finally:
        world.close()
    if frames.shape != (1, SIDE, SIDE, 3):
        step.failed(f"a frame has the shape {frames.shape}", "see how the world renders: uint8 (N, H, W, 3)")
    elif frames.min() == frames.max():
        step.failed("the frame is all of one colour", "the renderer draws nothing: set MUJOCO_GL to egl or osmesa")
    else:
        step.ok(f"a frame of {SIDE} × {SIDE} in {time.monotonic() - began:.1f} s")
