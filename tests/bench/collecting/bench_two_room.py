"""How fast Two-Room steps, renders and collects on one core: `python -m tests.bench.collecting.bench_two_room`."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from jepa.core.episodes import Actions
from jepa.worlds import EpisodePlan, World, collect_episodes, make_world


def rate(work: Callable[[], object], units: int, seconds: float = 1.0) -> float:
    """Returns the units a second of the fastest of many calls within `seconds`."""
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return units / best


def main() -> None:
    """Measures three batch sizes at 64 × 64 and one at 224 × 224."""
    for copies, size in [(64, 64), (1024, 64), (4096, 64), (64, 224)]:
        world = make_world("two_room", copies, image_size=size)
        world.begin(range(copies), [{"door": 0.2 + 0.6 * n / copies} for n in range(copies)])
        action = np.random.default_rng(0).uniform(-1, 1, (copies, 2)).astype(np.float32)

        def step_and_render(world: World = world, action: Actions = action) -> None:
            world.advance(action)
            world.render_pixels()

        steps = rate(partial(world.advance, action), copies) / 1e6
        frames = rate(step_and_render, copies) / 1e3
        print(f"{copies} copies at {size}x{size}: {steps:.1f} M steps/s, {frames:.0f} k frames/s stepped and rendered")
    plans = [EpisodePlan(n, n, "train", {"door": 0.5}, "two_room/expert", 64) for n in range(128)]
    frames = len(plans) * 65
    print(
        f"collect_episodes: {rate(lambda: list(collect_episodes('two_room', {}, plans)), frames) / 1e3:.0f} k frames/s"
    )


if __name__ == "__main__":
    main()
