"""How often planners and costs reach their goals with one model, and what a decision takes, on one core.

`python -m tests.bench.planning.bench_planning_success --store DIR --model NAME` solves the problems of `jepa evaluate
--seed 0`, of every kind of goal, offset and time between looks, and prints a line as soon as one is done: goals reached
with Wilson's 95 % interval, and processor time a decision, which other work on the machine does not lengthen. The
budget is twice the offset. Heads are the model's newest; `jepa fit-heads` fits them. `--split validation` has problems
to choose options on, which leaves those of `test` unseen.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import torch

from infra.storage import Store, open_store
from jepa.core.seeds import derive_seed
from jepa.evaluation.kinds.planning.problems import draw, with_frames
from jepa.evaluation.kinds.planning.selection import Selection
from jepa.evaluation.statistics import wilson
from jepa.planning import PLANNERS, Plan, PlanningSetting, Problem, Situation, execute, make_planner
from jepa.planning.heads.head import Head
from jepa.planning.planner import planner_config
from jepa.worlds import WORLDS, make_world
from pipelines.store import open_dataset, resolve_dataset
from pipelines.store.models.heads.handle import read_head, resolve_head
from pipelines.store.models.manifest import read_model, resolve_model
from pipelines.store.references import ModelRef

PLANNERS_COMPARED: dict[str, dict[str, Any]] = {
    "inverse": {"planner": "inverse"},
    "icem": {"planner": "icem"},
    "icem-temporal": {"planner": "icem", "cost": "temporal"},
    "icem-temporal-long": {"planner": "icem", "cost": "temporal", "horizon": 10},
    "icem-reachable": {"planner": "icem", "cost": "reachable"},
    "icem-decoded": {"planner": "icem", "cost": "decoded"},
    "icem-warm": {"planner": "icem", "warm_start": "inverse"},
    "cem": {"planner": "cem"},
    "cem-temporal": {"planner": "cem", "cost": "temporal"},
    "oracle": {"planner": "oracle", "geodesic": True},
}


def main() -> None:
    """Prints a line for each planner, time between looks, kind of goal and offset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True, help="folder or address of a store")
    parser.add_argument("--model", required=True)
    parser.add_argument("--dataset", help="by default the one that the model was trained on")
    parser.add_argument("--split", default="test")
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--offsets", type=int, nargs="+", default=[25, 50])
    parser.add_argument("--every", type=int, nargs="+", default=[25, 5])
    parser.add_argument("--planners", nargs="+", choices=list(PLANNERS_COMPARED), default=list(PLANNERS_COMPARED))
    parser.add_argument("--goal-kinds", nargs="+")
    parser.add_argument("--pairs", choices=["episode", "stitched"], default="episode")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stream", type=int, default=0, help="random stream of the planners")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    store = open_store(asked.store)
    reference = resolve_model(store, asked.model)
    manifest, model = read_model(store, reference)
    dataset = open_dataset(store, resolve_dataset(store, asked.dataset or manifest.dataset))
    kinds = asked.goal_kinds or WORLDS.get(dataset.world).world_spec.goal_kind_names
    groups = [(kind, offset) for offset in asked.offsets for kind in kinds]
    selection = Selection(asked.problems, derive_seed(asked.seed, "planning"), pairs=asked.pairs)
    drawn = draw(dataset, asked.split, groups, selection).problems
    chosen = {label: PLANNERS_COMPARED[label] for label in asked.planners}
    heads = _heads(store, reference, chosen)
    setting = PlanningSetting(model.eval(), dataset.world, dataset.world_options, heads)
    for kind, offset in groups:
        problems = with_frames([one for one in drawn if (one.goal_kind, one.offset) == (kind, offset)], dataset)
        streams = [derive_seed(one.seed, "stream", asked.stream) if asked.stream else one.seed for one in problems]
        problems = [Problem(**{**vars(one), "seed": seed}) for one, seed in zip(problems, streams, strict=True)]
        for label, options in chosen.items():
            for every in asked.every:
                print(_line(f"{kind} {offset}", label, options, every, problems, 2 * offset, setting), flush=True)


def _heads(store: Store, model: ModelRef, planners: Mapping[str, Mapping[str, Any]]) -> dict[str, Head]:
    """Returns the heads that planners ask for."""
    kinds: set[str] = set()
    for options in planners.values():
        name, own = _split(options)
        kinds |= {*PLANNERS.get(name).needs_heads(planner_config(name, own))}
    return {kind: read_head(store, model, resolve_head(store, model, kind)) for kind in sorted(kinds)}


def _line(
    goal: str,
    label: str,
    options: Mapping[str, Any],
    every: int,
    problems: Sequence[Problem],
    budget: int,
    setting: PlanningSetting,
) -> str:
    """Returns what came of one planner."""
    name, own = _split(options)
    model, seconds = setting.model, []
    with (
        closing(make_world(setting.world, len(problems), **setting.world_options)) as world,
        closing(make_planner(name, own, setting)) as planner,
    ):
        plan = planner.plan

        def timed(situation: Situation) -> Plan:
            started = time.process_time()
            made = plan(situation)
            seconds.append((time.process_time() - started) / len(problems))
            return made

        planner.plan = timed  # type: ignore[method-assign]
        runs = execute(planner, world, problems, budget, every, model.config.frameskip)
    reached = wilson(sum(run.success for run in runs), len(runs))
    taken = [run.steps_to_goal for run in runs if run.steps_to_goal is not None]
    steps = f"{np.mean(taken):4.0f} steps" if taken else ""
    return (
        f"{goal:14}  {label:16} every {every:3}  {100 * reached.value:4.0f} % ({100 * reached.low:.0f}-"
        f"{100 * reached.high:.0f})  n {len(runs)}  {1e3 * float(np.mean(seconds)):8.2f} ms a decision  {steps}"
    )


def _split(options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Returns a planner's name and its own options."""
    return str(options["planner"]), {name: value for name, value in options.items() if name != "planner"}


if __name__ == "__main__":
    main()
