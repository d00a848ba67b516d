"""Which recipe is chosen, by validation episodes alone, and how each differs from the reference, paired by seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import rankdata

from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import CellRows, mean_interval
from jepa.studies.recipes.cell import REFERENCE, RecipesCell

SCORE, ERROR = "validation_score", "prediction_error"
"""What a recipe is chosen by; and the loss that one might have chosen by: both of validation episodes."""
TEST_SCORE = "test_score"
BUDGET = ("budget", "amount")
"""Fields of what all recipes get alike."""
NO_RECIPE = ("experiment", "seed")
"""Fields of a cell that do not say what is trained and how."""
FIELDS = tuple(name for name in RecipesCell.model_fields if name not in NO_RECIPE)


@dataclass(frozen=True)
class Candidate:
    """A recipe of a sweep with its rows, of all seeds."""

    fields: Mapping[str, Any]
    rows: CellRows

    @property
    def name(self) -> str:
        """Returns the experiment that it was run as, marked where it is privileged."""
        names = {str(row["experiment"]) for row in self.rows.rows}
        experiment = REFERENCE if REFERENCE in names else min(names)
        return f"{experiment} (privileged)" if self.privileged else experiment

    @property
    def privileged(self) -> bool:
        """Returns whether it learns from states that no camera shows."""
        return self.fields.get("regressed") is not None

    def by_seed(self, metric: str, **fields: Any) -> dict[int, float]:
        """Returns a metric for each seed."""
        return self.rows.by_seed(metric, **fields)

    def mean(self, metric: str, **fields: Any) -> float | None:
        """Returns a metric's mean over seeds, None where it was not measured."""
        values = self.by_seed(metric, **fields)
        return float(np.mean(list(values.values()))) if values else None

    def over(self, other: "Candidate", metric: str, **fields: Any) -> Estimate | None:
        """Returns the mean of this less the other one's metric, paired by seed; None where they share no seed."""
        mine, theirs = self.by_seed(metric, **fields), other.by_seed(metric, **fields)
        shared = sorted(mine.keys() & theirs.keys())
        return mean_interval([mine[seed] - theirs[seed] for seed in shared]) if shared else None

    def changes(self, other: "Candidate") -> dict[str, Any]:
        """Returns the fields in which it differs, with their values here."""
        return {name: self.fields.get(name) for name in FIELDS if self.fields.get(name) != other.fields.get(name)}


class Sweep:
    """The recipes of one world."""

    def __init__(self, world: str, candidates: Sequence[Candidate]) -> None:
        self.world = world
        self.candidates = tuple(candidates)

    @cached_property
    def reference(self) -> Candidate | None:
        """The recipe that all others are compared with; None where there is none, or more than one."""
        return self._references[0] if len(self._references) == 1 else None

    @property
    def problem(self) -> str:
        """Returns why nothing is compared, where there is not one reference."""
        if self.reference is not None:
            return ""
        count = f"{len(self._references)} recipes are" if self._references else "no recipe is"
        return f"{count} of experiment {REFERENCE!r}, and one is needed"

    @cached_property
    def _references(self) -> list[Candidate]:
        return [one for one in self.candidates if any(row["experiment"] == REFERENCE for row in one.rows.rows)]

    @cached_property
    def eligible(self) -> tuple[Candidate, ...]:
        """The recipes that may be chosen: not privileged, of the reference's budget, and with each of its seeds."""
        reference = self.reference
        if reference is None:
            return ()
        seeds = reference.by_seed(SCORE).keys()
        return tuple(
            one
            for one in self.candidates
            if not (one.privileged or one.changes(reference).keys() & set(BUDGET))
            and seeds <= one.by_seed(SCORE).keys()
        )

    @cached_property
    def chosen(self) -> Candidate | None:
        """The recipe with the best mean score on validation episodes, the reference where none is above it."""
        return self._best(self.eligible, SCORE)

    @cached_property
    def challenger(self) -> Candidate | None:
        """The best of them but for the reference."""
        return self._best([one for one in self.eligible if one is not self.reference], SCORE)

    @cached_property
    def of_lowest_error(self) -> Candidate | None:
        """The recipe that predicts the next latent of validation episodes best."""
        measured = [one for one in self.eligible if one.by_seed(ERROR)]
        return self._best(measured, ERROR, sign=-1.0)

    def _best(self, candidates: Sequence[Candidate], metric: str, sign: float = 1.0) -> Candidate | None:
        """Returns the candidate whose mean over the reference's seeds is largest."""
        if self.reference is None:
            return None
        seeds = self.reference.by_seed(SCORE).keys()

        def rank(one: Candidate) -> tuple[float, bool, str]:
            values = one.by_seed(metric)
            mean = np.mean([values[seed] for seed in seeds if seed in values])
            return sign * float(mean), one is self.reference, one.name

        return max(candidates, key=rank, default=None)

    def changed_in(
        self, fields: Sequence[str], where: Callable[[Candidate, Candidate], bool] = lambda one, reference: True
    ) -> list[Candidate]:
        """Returns the recipes that differ from the reference in some of these fields and in no other."""
        reference = self.reference
        if reference is None:
            return []
        return [
            one
            for one in self.candidates
            if (changes := one.changes(reference).keys()) and changes <= set(fields) and where(one, reference)
        ]

    def rank_correlation(self) -> Estimate | None:
        """Returns Spearman's correlation of prediction error and score over recipes, the mean over seeds."""
        found = []
        for seed in sorted({seed for one in self.eligible for seed in one.by_seed(SCORE)}):
            pairs = [
                (one.by_seed(ERROR)[seed], one.by_seed(SCORE)[seed])
                for one in self.eligible
                if seed in one.by_seed(ERROR) and seed in one.by_seed(SCORE)
            ]
            ranks = [rankdata(values) for values in zip(*pairs, strict=True)]
            if len(pairs) > 2 and all(np.ptp(own) > 0 for own in ranks):
                found.append(float(np.corrcoef(*ranks)[0, 1]))
        return mean_interval(found) if found else None


def sweeps(rows: CellRows) -> list[Sweep]:
    """Returns the sweep of each world of a table, in alphabetical order of the worlds."""
    by_recipe: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows.rows:
        by_recipe.setdefault(tuple(row.get(name) for name in FIELDS), []).append(row)
    by_world: dict[str, list[Candidate]] = {}
    for key, own in by_recipe.items():
        fields = dict(zip(FIELDS, key, strict=True))
        by_world.setdefault(str(fields["world"]), []).append(Candidate(fields, CellRows(own)))
    return [Sweep(world, held) for world, held in sorted(by_world.items())]
