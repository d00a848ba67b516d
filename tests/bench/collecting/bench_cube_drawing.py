"""Prints what a frame of Cube costs with cheaper shadows and coarser meshes beside the default, and how it differs.

`OMP_NUM_THREADS=1 python -m tests.bench.collecting.bench_cube_drawing [SIDE…]`; every state is drawn in all ways in
turn. Processor time is that of all threads of the process, which other work on the machine makes longer, but by less
than the clock. Differences are means over all pixels, in grey levels of 255.
"""

import sys
import time
from contextlib import ExitStack, closing
from typing import Any

import numpy as np

from jepa.worlds import World, make_world
from tests.bench.record import record

SIDES, STATES, WARM = (64, 224), 12, 2
WAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "shadows=1024": {"shadows": 1024},
    "shadows=512": {"shadows": 512},
    "shadows=0": {"shadows": 0},
    "mesh_cell=0.005": {"mesh_cell": 0.005},
    "shadows=1024 mesh_cell=0.002": {"shadows": 1024, "mesh_cell": 0.002},
    "shadows=1024 mesh_cell=0.005": {"shadows": 1024, "mesh_cell": 0.005},
    "shadows=512 mesh_cell=0.005": {"shadows": 512, "mesh_cell": 0.005},
    "shadows=512 mesh_cell=0.01": {"shadows": 512, "mesh_cell": 0.01},
    "shadows=0 mesh_cell=0.005": {"shadows": 0, "mesh_cell": 0.005},
}


def measure(side: int) -> dict[str, dict[str, float]]:
    """Returns for each way of drawing a frame's median milliseconds, their share of the default's, and difference."""
    with ExitStack() as opened:
        worlds = {
            way: opened.enter_context(closing(make_world("cube", 1, image_size=side, **options)))
            for way, options in WAYS.items()
        }
        rounds = [_draw_all(worlds, seed) for seed in range(STATES)][WARM:]
    usual = np.median([spent["default"][0] for spent, _ in rounds])
    return {
        way: {
            "processor_ms": round(float(spent := np.median([times[way][0] for times, _ in rounds])), 1),
            "clock_ms": round(float(np.median([times[way][1] for times, _ in rounds])), 1),
            "share_of_default": round(float(spent / usual), 3),
            "grey_levels_off": round(float(np.mean([off[way] for _, off in rounds])), 3),
        }
        for way in WAYS
    }


def _draw_all(worlds: dict[str, World], seed: int) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Draws one state in all ways; returns milliseconds of processor and clock, and differences from the default."""
    times, pictures = {}, {}
    for way, world in worlds.items():
        world.begin([seed], [world.world_spec.sample_variation(np.random.default_rng(seed))])
        clock, processor = time.perf_counter(), time.process_time()
        pictures[way] = world.render_pixels().astype(np.float32)
        times[way] = ((time.process_time() - processor) * 1000, (time.perf_counter() - clock) * 1000)
    off = {way: float(np.abs(picture - pictures["default"]).mean()) for way, picture in pictures.items()}
    return times, off


def main() -> None:
    """Measures at the sides named, by default at `SIDES`."""
    sides = [int(side) for side in sys.argv[1:]] or SIDES
    record("cube_drawing", {f"{side}_pixels": measure(side) for side in sides})


if __name__ == "__main__":
    main()
