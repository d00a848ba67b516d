"""How long one plan takes: the model's planner and the oracle, in Two-Room, on one core.

Run it: `python -m tests.bench.bench_planning`. Processor time stands beside wall time, for machines that others share.
"""

import time

import torch

from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import LatentCEMConfig, OracleConfig, Planner, PlanningSetting, Problem, execute, make_planner
from jepa.worlds import make_world
from tests.jepa.evaluation.standins import MemorySource

PROBLEMS = 16


def seconds_a_plan(planner: Planner, problems: list[Problem]) -> tuple[float, float]:
    """Returns processor and wall seconds a plan; one planning a problem."""
    world = make_world("two_room", len(problems))
    execute(planner, world, problems, 1, 25, 5)
    cpu, wall = time.process_time(), time.perf_counter()
    execute(planner, world, problems, 1, 25, 5)
    return (time.process_time() - cpu) / len(problems), (time.perf_counter() - wall) / len(problems)


def main() -> None:
    """Prints a line for each planner."""
    torch.set_num_threads(1)
    problems = draw_problems(MemorySource({"test": PROBLEMS}), "test", "uniform", PROBLEMS, 25, seed=0)
    setting = PlanningSetting(WorldModel.from_config(ModelConfig()), "two_room", {})
    planners = {
        "cem 300 x 10, fp32": ("cem", LatentCEMConfig(precision="fp32")),
        "cem 300 x 10, auto": ("cem", LatentCEMConfig()),
        "oracle 300 x 30": ("oracle", OracleConfig()),
    }
    for name, (kind, config) in planners.items():
        cpu, wall = seconds_a_plan(make_planner(kind, config, setting), problems)
        print(f"{name:20}  {1e3 * cpu:7.1f} ms processor  {1e3 * wall:7.1f} ms wall")


if __name__ == "__main__":
    main()
