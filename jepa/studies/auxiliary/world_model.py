"""The auxiliary head in a world model: LeWM on Two-Room with a distractor, with and without the head.

The head reads the agent's position. The distractor drifts through every frame and nothing depends on it: what a probe
still reads of it is room in the latents that planning has no use for.
"""

from typing import Any

from jepa.evaluation.evaluation import Row
from jepa.evaluation.kinds.probing.report import is_main
from jepa.evaluation.protocol import evaluate
from jepa.studies.in_memory.episodes import Collection, collected
from jepa.studies.in_memory.training import train
from jepa.studies.objectives.sizes import OPTIONS, SMALL_FIELDS, SMALL_PROTOCOL
from jepa.studies.study import Measure
from jepa.training.recipes import Recipe

HEAD = {"quantity": "agent_position", "quantity_size": 2}
EPISODES = Collection(train=200, validation=20, test=60, image_size=32, options=(("distractor", True),))
"""The same episodes for all seeds of the training."""


def world_model_measures(with_head: bool, weight: float, steps: int, seed: int) -> list[Measure]:
    """Returns probes and planning regret of one training.

    - `probe_r2`: of a linear probe, by quantity; `distractor` is place and motion of the distractor.
    - `goals_reached`, `regret`: of CEM by kind of goal; regret in rate of success, paired with the oracle's.

    Args:
        with_head: whether the auxiliary head is trained too.
        weight: c, of its loss.
        steps: optimiser steps.
        seed: of the training and of the judgement.
    """
    options: dict[str, Any] = dict(OPTIONS["small"]["lewm"])
    if with_head:
        options["head"] = {**HEAD, "weight": weight}
    fields = SMALL_FIELDS | {"objective": "lewm", "objective_options": options}
    fields["train"] = SMALL_FIELDS["train"] | {"steps": steps, "seed": seed, "precision": "fp32", "collapse_std": 0.0}
    source = collected(EPISODES)
    model = train(Recipe.model_validate(fields), source).model
    rows = [
        row
        for kind in ("probing", "planning")
        for row in evaluate(kind, model, source, SMALL_PROTOCOL, seed).metrics
        if row["split"] == "test"
    ]
    return [measure for row in rows if (measure := _measure(row)) is not None]


def _measure(row: Row) -> Measure | None:
    figure = {"value": row["value"], "n": row["n"], "low": row["ci_low"], "high": row["ci_high"], "unit": row["unit"]}
    if row["metric"] == "r2" and row["probe"] == "linear" and is_main(row):
        return Measure("probe_r2", quantity=row["quantity"], **figure)
    if row["planner"] != "cem":
        return None
    if row["metric"] == "success_rate":
        return Measure("goals_reached", quantity=row["goal"], **figure)
    if row["metric"] == "regret" and row["quantity"] == "success":
        return Measure("regret", quantity=row["goal"], **figure)
    return None
