"""How long one plan takes, in Two-Room, on one core, and how good it is by the model's own cost.

`python -m tests.bench.bench_planning` times the model's planner and the oracle. With `--store DIR --model NAME` it
compares the planners that search in that model's latents: seconds a decision and the mean cost of what they find, each
beside `cem`'s in the same run, and for `icem` the least of its sizes that reaches `cem`'s mean cost.
Processor time stands beside wall time, for machines that others share.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import torch

from infra.storage import open_store
from jepa.core.config import Config
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import LatentCEMConfig, OracleConfig, Planner, PlanningSetting, Problem, execute, make_planner
from jepa.worlds import make_world
from pipelines.store.models import load_model
from tests.jepa.evaluation.standins import MemorySource

PROBLEMS = 16
COMPARED = ("icem", "mppi", "gradient", "shooting")
"""Planners at their own sizes, beside `cem` at its own."""
ICEM_SIZES = [(60, 6, 4), (60, 6, 6), (100, 10, 5), (120, 12, 5), (120, 12, 6), (160, 12, 8), (240, 20, 8)]
"""Samples, elites and iterations, the cheapest first."""


def seconds_a_plan(planner: Planner, problems: list[Problem]) -> tuple[float, float]:
    """Returns processor and wall seconds a plan; one planning a problem."""
    world = make_world("two_room", len(problems))
    execute(planner, world, problems, 1, 25, 5)
    cpu, wall = time.process_time(), time.perf_counter()
    execute(planner, world, problems, 1, 25, 5)
    return (time.process_time() - cpu) / len(problems), (time.perf_counter() - wall) / len(problems)


def main() -> None:
    """Prints a line for each planner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", help="folder or address of a store, for the comparison of planners")
    parser.add_argument("--model", default="demo", help="name of a model of Two-Room in it")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    problems = draw_problems(MemorySource({"test": PROBLEMS}), "test", "uniform", PROBLEMS, 25, seed=0)
    if arguments.store is not None:
        compare(load_model(open_store(arguments.store), arguments.model), problems)
        return
    setting = PlanningSetting(WorldModel.from_config(ModelConfig()), "two_room", {})
    planners: dict[str, tuple[str, Config]] = {
        "cem 300 x 10, fp32": ("cem", LatentCEMConfig(precision="fp32")),
        "cem 300 x 10, auto": ("cem", LatentCEMConfig()),
        "oracle 300 x 30": ("oracle", OracleConfig()),
    }
    for name, (kind, config) in planners.items():
        cpu, wall = seconds_a_plan(make_planner(kind, config, setting), problems)
        print(f"{name:20}  {1e3 * cpu:7.1f} ms processor  {1e3 * wall:7.1f} ms wall")


def compare(model: WorldModel, problems: Sequence[Problem]) -> None:
    """Prints seconds and cost of each planner beside those of `cem`."""
    seconds, cost = report("cem", {}, model, problems, None)
    for name in COMPARED:
        report(name, {}, model, problems, (seconds, cost))
    for samples, elites, iterations in ICEM_SIZES:
        sizes = {"samples": samples, "elites": elites, "iterations": iterations}
        taken, found = report("icem", sizes, model, problems, (seconds, cost))
        if found <= cost:
            print(f"icem reaches cem's mean cost in {taken / seconds:.2f} of its processor seconds, with {sizes}")
            return
    print("icem does not reach cem's mean cost with any of these sizes")


def report(
    name: str,
    sizes: Mapping[str, Any],
    model: WorldModel,
    problems: Sequence[Problem],
    reference: tuple[float, float] | None,
) -> tuple[float, float]:
    """Returns processor seconds a decision and the mean cost of what was found, after printing them."""
    setting = PlanningSetting(model, "two_room", {})
    with closing(make_planner(name, {"precision": "fp32", **sizes}, setting)) as planner:
        cpu, wall = seconds_a_plan(planner, list(problems))
        with closing(make_world("two_room", len(problems))) as world:
            runs = execute(planner, world, problems, 1, 25, 5)
    with torch.inference_mode():
        goal_PD = model.encode(torch.stack([torch.from_numpy(one.goal_pixels) for one in problems])[:, None])[:, 0]
    last = torch.stack([torch.from_numpy(run.imagined_latent)[-1] for run in runs if run.imagined_latent is not None])
    cost = float((last - goal_PD).square().sum(-1).mean())
    ratio = "" if reference is None else f"  {cpu / reference[0]:5.2f} x seconds  {cost / reference[1]:6.3f} x cost"
    label = " ".join([name, *(str(value) for value in sizes.values())])
    print(f"{label:20}  {1e3 * cpu:7.1f} ms processor  {1e3 * wall:7.1f} ms wall  cost {cost:.4f}{ratio}", flush=True)
    return cpu, cost


if __name__ == "__main__":
    main()
