"""How long one plan takes, in Two-Room, on one core.

`python -m tests.bench.planning.bench_planning` times the model's planner and the oracle. Processor time stands beside
wall time, for machines that others share. `bench_planning_searches` compares the searches with one another,
`bench_planning_peer` `cem` with stable-worldmodel's.
"""

import argparse
import time
from contextlib import closing

import torch

from jepa.core.config import Config
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import LatentCEMConfig, OracleConfig, Planner, PlanningSetting, Problem, execute, make_planner
from jepa.planning.execution import Execution
from jepa.worlds import make_world
from tests.jepa.evaluation.standins import MemorySource

PROBLEMS = 16


def seconds_a_plan(planner: Planner, problems: list[Problem], side: int = 64) -> tuple[float, float, list[Execution]]:
    """Returns processor and wall seconds a plan, one a problem, and what came of it; frames of `side` pixels."""
    with closing(make_world("two_room", len(problems), image_size=side)) as world:
        # A plan of one action warms up what a first call sets up.
        execute(planner, world, problems, 5, 5, 5)
        cpu, wall = time.process_time(), time.perf_counter()
        runs = execute(planner, world, problems, 25, 25, 5)
        return (time.process_time() - cpu) / len(problems), (time.perf_counter() - wall) / len(problems), runs


def main() -> None:
    """Prints a line for each planner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    torch.set_num_threads(1)
    problems = draw_problems(MemorySource({"test": PROBLEMS}), "test", "uniform", PROBLEMS, 25, seed=0)
    setting = PlanningSetting(WorldModel.from_config(ModelConfig()), "two_room", {})
    planners: dict[str, tuple[str, Config]] = {
        "cem 300 x 10, fp32": ("cem", LatentCEMConfig(precision="fp32")),
        "cem 300 x 10, auto": ("cem", LatentCEMConfig()),
        "oracle 300 x 30": ("oracle", OracleConfig()),
    }
    for name, (kind, config) in planners.items():
        cpu, wall, _ = seconds_a_plan(make_planner(kind, config, setting), problems)
        print(f"{name:20}  {1e3 * cpu:7.1f} ms processor  {1e3 * wall:7.1f} ms wall")


if __name__ == "__main__":
    main()
