"""Prints how many steps a second one process collects with a frame of every fifth step, beside one of every step.

`OMP_NUM_THREADS=1 python -m tests.bench.collecting.bench_frame_every [WORLD…]`; both sides make the same episodes, in
turns. What making a world and its renderer takes once is not counted.
"""

import sys
import time

import numpy as np

from jepa.worlds import WORLDS, EpisodePlan, collect_episodes

EVERY, SIZE, TURNS = 5, 64, 3
STEPS = {"two_room": 400, "pusht": 100, "reacher": 100, "cube": 40}
"""Steps of an episode of each world, a few seconds at most with all frames."""


def steps_a_second(world: str, plan: EpisodePlan, frame_every: int) -> float:
    """Returns the steps a second of collecting one episode, from its first step to its last."""
    times: list[float] = []
    list(collect_episodes(world, {"image_size": SIZE}, [plan], lambda: times.append(time.perf_counter()), frame_every))
    return (len(times) - 1) / (times[-1] - times[0])


def main() -> None:
    """Measures every world of `STEPS`, or those named."""
    print(f"collection at {SIZE} pixels, steps/s of one process; the median of {TURNS} turns each")
    for world in sys.argv[1:] or STEPS:
        spec = WORLDS.get(world).world_spec
        variation = {factor.name: (factor.low + factor.high) / 2 for factor in spec.factors}
        plans = [EpisodePlan(turn, turn, "train", variation, "random", STEPS[world]) for turn in range(TURNS)]
        steps_a_second(world, plans[0], EVERY)  # imports, and what a renderer makes once
        turns = [[steps_a_second(world, plan, every) for every in (1, EVERY)] for plan in plans]
        dense, sparse = np.median(turns, axis=0)
        print(
            f"{world:9} frame_every 1 {dense:8.1f}   frame_every {EVERY} {sparse:8.1f}   ratio {sparse / dense:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
