"""What is measured of each trained model: the evaluations' figures, and how much of the latents is left."""

from collections.abc import Iterator, Sequence

import numpy as np

from jepa.evaluation.evaluation import EvaluationResult, Row
from jepa.evaluation.kinds.probing.report import is_main
from jepa.evaluation.kinds.surprise.scoring import ONE_STEP
from jepa.evaluation.protocol import Protocol, evaluate
from jepa.models.world_model import WorldModel
from jepa.studies.in_memory.episodes import MemoryEpisodes
from jepa.studies.in_memory.latents import latent_figures
from jepa.studies.study import Measure
from jepa.worlds.registry import WORLDS

PLANNING = {"success_rate": "goals_reached", "final_distance": "final_distance"}
"""Names of the planning figures here; those of the references carry who planned at their end."""


def measures(model: WorldModel, source: MemoryEpisodes, protocol: Protocol, seed: int) -> list[Measure]:
    """Returns the figures of probes, plans by kind of goal, surprise and latents on the test episodes."""
    kinds = ["probing", "planning", "latent"]
    if WORLDS.get(source.world).world_spec.perturbations:
        kinds.append("surprise")
    found: list[Measure] = []
    for kind in kinds:
        found += [one for row in _rows(evaluate(kind, model, source, protocol, seed)) for one in _measured(row)]
    return found + latent_measures(model, source)


def _rows(result: EvaluationResult) -> Iterator[Row]:
    return (row for row in result.metrics if row["split"] == "test")


def _measured(row: Row) -> Iterator[Measure]:
    """Yields a row of `metrics` as a measure, under a name of its own where a column tells it apart."""
    name, quantity, unit = row["metric"], row["quantity"], row["unit"]
    if name == "r2" and not is_main(row):
        return
    if name == "r2":
        name = f"{row['probe']}_r2"
    elif name in PLANNING:
        quantity = row["goal"]
        name = PLANNING[name] + ("" if row["planner"] == "cem" else f"_by_{row['planner']}")
    elif name == "auroc" and (row["score"], row["blocks_ahead"]) == ONE_STEP:
        quantity = row["shift"]
    elif row["evaluation"] != "latent":
        return
    ends = (row["ci_low"], row["ci_high"])
    low, high = ends if np.isfinite(ends).all() else (None, None)
    yield Measure(name, row["value"], row["n"], low, high, quantity=quantity, unit=unit)


def latent_measures(model: WorldModel, source: MemoryEpisodes) -> list[Measure]:
    """Returns what tells collapse, whatever the latents' scale, and how well the next latent is predicted.

    - `latent_spread`: mean over dimensions of the standard deviation over frames; 0 in full collapse.
    - `unpredicted`: the one-step prediction error over the latents' variance, both summed over dimensions; 1 is that of
      predicting the mean. Meaningless where the spread is nothing.
    """
    found = latent_figures(model, source, "test")
    spread = Measure("latent_spread", found.spread, found.episodes)
    if found.unpredicted is None:
        return [spread]
    return [spread, Measure("unpredicted", found.unpredicted, found.episodes)]


def spread_left(trained: Sequence[Measure], untrained: Sequence[Measure]) -> Measure:
    """Returns the spread of the trained latents as a share of what it was before training; 0 in full collapse."""
    after, before = (next(one for one in held if one.metric == "latent_spread") for held in (trained, untrained))
    return Measure("spread_left", after.value / before.value, after.n)
