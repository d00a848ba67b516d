"""What is measured of each trained model, on validation episodes and, apart from them, on test episodes.

The score is half the share of goals that the best planner reaches, and half the R² that linear probes reach: goals
are what is wanted, and probes tell recipes apart that reach none yet.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from jepa.evaluation.evaluation import Row
from jepa.evaluation.kinds.probing.report import is_main
from jepa.evaluation.protocol import Protocol
from jepa.models.world_model import WorldModel
from jepa.planning.heads.episodes import encode_episodes
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.head import Head
from jepa.planning.heads.registry import head_config
from jepa.studies.in_memory import MemoryEpisodes, judged_on, latent_figures
from jepa.studies.recipes.sizes import Sizes
from jepa.studies.study import Measure
from jepa.worlds.registry import WORLDS

SPLITS = ("validation", "test")
"""Where models are judged: chosen by the first, and the chosen one reported by the second."""
JUDGED_PLANNERS = ("cem", "inverse", "warm")
PLANNING_SHARE = 0.5
"""Weight of goals reached in the score; probes have the rest."""


@dataclass(frozen=True)
class Judged:
    """The rows of one split."""

    planning: list[Row]
    probing: list[Row]
    motion: frozenset[str]
    """quantities that no single frame shows, which count in no score"""

    def success(self, planner: str) -> float:
        """Returns the share of goals reached, the mean over kinds of goals."""
        return float(np.mean([row["value"] for row in self._rows(self.planning, "success_rate", planner=planner)]))

    @property
    def best_planner(self) -> str:
        """Returns which planner reaches most goals, the first in alphabetical order where several do."""
        return max(JUDGED_PLANNERS, key=self.success)

    @property
    def read(self) -> float:
        """Returns the mean over quantities of the linear probe's R², of which none counts as less than 0."""
        rows = self._rows(self.probing, "r2", probe="linear")
        values = [max(0.0, row["value"]) for row in rows if row["quantity"] not in {"all", *self.motion}]
        return float(np.mean(values)) if values else 0.0

    def score(self, planner: str) -> float:
        """Returns the weighted mean of goals reached by a planner and of what probes read."""
        return PLANNING_SHARE * self.success(planner) + (1 - PLANNING_SHARE) * self.read

    @property
    def problems(self) -> int:
        """Returns how many problems a planner solved, over all kinds of goals."""
        return sum(row["n"] for row in self._rows(self.planning, "success_rate", planner=JUDGED_PLANNERS[0]))

    def measures(self, split: str) -> Iterator[Measure]:
        """Yields goals reached, regret and R² under names that begin with the split.

        What oracle and random policy reach has a name of its own.
        """
        for row in self._rows(self.planning, "success_rate"):
            yield _measure(row, _named(f"{split}_goals_reached", row), f"{row['planner']}, {row['goal']}")
        for row in self._rows(self.planning, "regret", quantity="final_distance"):
            if row["planner"] != "oracle":
                yield _measure(row, _named(f"{split}_regret", row), f"{row['planner']}, {row['goal']}")
        for row in self._rows(self.probing, "r2"):
            yield _measure(row, f"{split}_{row['probe']}_r2", row["quantity"])

    @staticmethod
    def _rows(rows: Iterable[Row], metric: str, **columns: str) -> list[Row]:
        return [row for row in rows if row["metric"] == metric and all(row[k] == v for k, v in columns.items())]


def measures(model: WorldModel, source: MemoryEpisodes, size: Sizes, seed: int) -> list[Measure]:
    """Returns the figures of both splits, and both scores.

    The planner of either score is the one that reached most goals on validation episodes.

    Args:
        model: trained.
        source: the episodes.
        size: with the protocol.
        seed: of probes, heads, problems and searches.
    """
    heads = {"inverse": _inverse_head(model, source, size, seed)}
    protocol = size.protocol(model.config.frameskip)
    judged = {split: _judged(model, judged_on(source, split), protocol, heads, seed) for split in SPLITS}
    planner = judged[SPLITS[0]].best_planner
    found = [Measure("planner", 1.0, quantity=planner)]
    for split, own in judged.items():
        found.append(Measure(f"{split}_score", own.score(planner), own.problems))
        found.append(Measure(f"{split}_goals", own.success(planner), own.problems))
        found.append(Measure(f"{split}_read", own.read, own.problems))
        found += own.measures(split)
    latents = latent_figures(model, source, SPLITS[0])
    found.append(Measure("prediction_error", latents.error / model.config.latent_size, latents.episodes))
    found.append(Measure("latent_spread", latents.spread, latents.episodes))
    if latents.unpredicted is not None:
        found.append(Measure("unpredicted", latents.unpredicted, latents.episodes))
    return found


def failed() -> list[Measure]:
    """Returns the figures of a recipe whose training went wrong numerically: no score on either split."""
    return [Measure("failed", 1.0), *(Measure(f"{split}_score", 0.0) for split in SPLITS)]


def _inverse_head(model: WorldModel, source: MemoryEpisodes, size: Sizes, seed: int) -> Head:
    config = head_config("inverse", size.head)
    data = encode_episodes(model, source, config.frames)
    return fit_head("inverse", config, model, data, source.quantities, seed, world=source.world)


def _judged(
    model: WorldModel, view: MemoryEpisodes, protocol: Protocol, heads: Mapping[str, Head], seed: int
) -> Judged:
    planning, probing = protocol.evaluation("planning"), protocol.evaluation("probing")
    planning.use_heads(heads)
    problems = planning.draw_problems(view, seed)
    if problems is not None:
        planning.use_problems(problems)
    rows = {
        evaluation.kind: [
            row for unit in evaluation.units(view) for row in evaluation.run(unit, model, view, seed).metrics
        ]
        for evaluation in (planning, probing)
    }
    quantities = WORLDS.get(view.world).world_spec.quantities
    return Judged(
        planning=rows["planning"],
        probing=[row for row in rows["probing"] if is_main(row)],
        motion=frozenset(quantity.name for quantity in quantities if quantity.motion),
    )


def _named(metric: str, row: Row) -> str:
    """Returns a metric's name, another one for planners that say nothing of the model."""
    return metric if row["planner"] in JUDGED_PLANNERS else f"{metric}_by_references"


def _measure(row: Row, metric: str, quantity: str) -> Measure:
    ends = (row["ci_low"], row["ci_high"])
    low, high = ends if np.isfinite(ends).all() else (None, None)
    return Measure(metric, row["value"], row["n"], low, high, quantity=quantity, unit=row["unit"])
