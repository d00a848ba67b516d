"""Which search reaches `cem`'s plans in less time: `python -m tests.bench.planning.bench_planning_searches`

`--store DIR --model NAME --dataset NAME` takes a model of Two-Room; without them a random one of the released layout's
full size is taken, whose costs mean nothing but to a search. All planners solve the same problems: `cem` with 300
candidates and 30 iterations, then `icem`, and `cem` and `icem` from the plan of the head `inverse`, in growing sizes
until one reaches the mean cost of `cem`'s plans by the model's own judgement. The head is fitted here where a dataset
is given; on a random model it has random weights, too. Last comes the planner `inverse`, which searches nothing.
Seconds are a decision's, the encoding of both frames included; ratios are of processor time, for others may be at work
on the machine. Results: `results/planning_searches_<name>.json`.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import torch

from infra.storage import open_store
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.models.world_model import WorldModel
from jepa.planning import PlanningSetting, Problem, make_planner
from jepa.planning.heads.episodes import encode_episodes
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.head import Head, HeadSizes
from jepa.planning.heads.registry import HEADS, head_config
from jepa.training.recipes import RECIPES
from pipelines.store import Dataset
from pipelines.store.models import load_model
from tests.bench.planning.bench_planning import seconds_a_plan
from tests.bench.planning.peer_lewm import random_released
from tests.bench.record import record
from tests.jepa.evaluation.standins import MemorySource

SIZES = [
    *((60, 6, 6), (60, 6, 20), (100, 10, 10), (100, 10, 20), (100, 10, 25)),
    *((100, 10, 30), (150, 15, 20), (150, 15, 30), (150, 15, 40)),
]
"""Samples, elites and iterations, the cheapest first; what is refined often needs few candidates at a time."""
COLOUR = 0.5
"""Of `icem`'s noise, which its own, slower one is too coarse for, once a plan is nearly right."""
WARM_STD = 0.5
"""First standard deviation of a search that starts from a plan, in units of half the action range."""


def main() -> None:
    """Compares the searches, prints each, and keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", help="folder or address of a store")
    parser.add_argument("--model", help="name of a model of Two-Room in it; by default a random one is made")
    parser.add_argument("--dataset", help="name of the dataset in it that the head is fitted on")
    parser.add_argument("--recipe", default="lewm", help="form and sizes of the random model")
    parser.add_argument("--problems", type=int, default=16)
    parser.add_argument("--iterations", type=int, default=30, help="of cem")
    parser.add_argument("--head-steps", type=int, default=2000)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--keep", action="store_true", help="write the figures, and not only print them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.model:
        store = open_store(arguments.store)
        model = load_model(store, arguments.model)
        heads = _fitted(model, Dataset(store, arguments.dataset), arguments.head_steps) if arguments.dataset else {}
    else:
        recipe = RECIPES.get(arguments.recipe)
        model = random_released(recipe.for_world(recipe.model.image_size, 2).model)
        heads = {"inverse": _unfitted(model)}
    count = arguments.problems
    problems = draw_problems(SizedSource(count, model.config.image_size), "test", "uniform", count, 25, seed=0)
    setting = PlanningSetting(model, "two_room", {}, heads)
    figures = compare(setting, problems, arguments.iterations, arguments.precision)
    figures |= {"problems": count, "precision": arguments.precision}
    if arguments.keep:
        record(f"planning_searches_{arguments.model or arguments.recipe}", figures)


class SizedSource(MemorySource):
    """Test episodes whose frames have the model's size."""

    def __init__(self, episodes: int, side: int) -> None:
        self.world_options = {"image_size": side}
        super().__init__({"test": episodes})


def _fitted(model: WorldModel, dataset: Dataset, steps: int) -> dict[str, Head]:
    config = head_config("inverse", {"steps": steps})
    data = encode_episodes(model, dataset, config.frames)
    return {"inverse": fit_head("inverse", config, model, data, dataset.quantities, seed=0)}


def _unfitted(model: WorldModel) -> Head:
    """Returns a head of random weights, which takes the time that a fitted one takes."""
    return HEADS.get("inverse")(head_config("inverse", {}), HeadSizes.of(model, {})).eval()


def _searches(heads: Mapping[str, Head]) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """Yields names, and planners with options in growing sizes."""
    sizes = [{"samples": samples, "elites": elites, "iterations": count} for samples, elites, count in SIZES]
    coloured = [{**size, "colour": COLOUR} for size in sizes]
    yield "icem", [("icem", size) for size in coloured]
    if heads:
        warm = {"warm_start": "inverse", "init_std": WARM_STD}
        yield "cem, warm start", [("cem", {**size, **warm}) for size in sizes]
        yield "icem, warm start", [("icem", {**size, **warm}) for size in coloured]


def compare(setting: PlanningSetting, problems: Sequence[Problem], iterations: int, precision: str) -> dict[str, Any]:
    """Returns seconds and costs of each, and the share of `cem`'s processor seconds in which its cost is reached."""
    reference = judged("cem", {"iterations": iterations, "precision": precision}, setting, problems, None)
    figures: dict[str, Any] = {f"cem 300 x {iterations}": reference}
    for label, tried in _searches(setting.heads):
        for name, options in tried:
            found = judged(name, {**options, "precision": precision}, setting, problems, reference)
            if found["cost"] <= reference["cost"]:
                share = found["processor_seconds"] / reference["processor_seconds"]
                print(f"{label} reaches cem's mean cost in {share:.3f} of its processor seconds", flush=True)
                figures[label] = {**found, "options": options, "share_of_seconds": share}
                break
        else:
            print(f"{label} does not reach cem's mean cost with any of these sizes", flush=True)
            figures[label] = None
    if setting.heads:
        found = judged("inverse", {}, setting, problems, reference)
        ratio = reference["processor_seconds"] / found["processor_seconds"]
        print(f"inverse decides in 1/{ratio:.0f} of cem's processor seconds", flush=True)
        figures["inverse"] = {**found, "times_as_fast": ratio}
    return figures


def judged(
    name: str,
    options: Mapping[str, Any],
    setting: PlanningSetting,
    problems: Sequence[Problem],
    reference: Mapping[str, float] | None,
) -> dict[str, float]:
    """Returns seconds a decision and the mean cost of what is found, after printing them."""
    model = setting.model
    side = model.config.image_size
    with closing(make_planner(name, options, setting)) as planner:
        cpu, wall, runs = seconds_a_plan(planner, list(problems), side)
    with torch.inference_mode():
        goal_PD = model.encode(torch.stack([torch.from_numpy(one.goal_pixels) for one in problems])[:, None])[:, 0]
    last = torch.stack([torch.from_numpy(run.imagined_latent)[-1] for run in runs if run.imagined_latent is not None])
    cost = float((last - goal_PD).square().sum(-1).mean())
    ratio = ""
    if reference is not None:
        ratio = f"  {cpu / reference['processor_seconds']:6.3f} x seconds  {cost / reference['cost']:6.3f} x cost"
    label = " ".join([name, *(str(value) for key, value in options.items() if key != "precision")])
    print(f"{label:32}  {1e3 * cpu:8.1f} ms processor  {1e3 * wall:8.1f} ms wall  cost {cost:.4f}{ratio}", flush=True)
    return {"processor_seconds": cpu, "seconds": wall, "cost": cost}


if __name__ == "__main__":
    main()
