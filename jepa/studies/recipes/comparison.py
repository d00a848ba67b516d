"""The table of a sweep: each recipe's figures on validation episodes, and how they differ from the reference's."""

from collections.abc import Sequence
from typing import Any

from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import CellRows, mean_interval
from jepa.studies.recipes.choice import ERROR, SCORE, Sweep, sweeps

COMPARED = (SCORE, "validation_goals", "validation_read", ERROR, "steps", "training_seconds")
"""Metrics of the table; none is of test episodes, by which nothing is to be chosen."""


def comparison(rows: Sequence[dict[str, Any]], metrics: Sequence[str] = COMPARED) -> list[dict[str, Any]]:
    """Returns a row for each recipe and metric, the best score first; `pandas.DataFrame` shows it.

    Columns are the mean over seeds and the difference from the reference paired by seed, both with Student's interval,
    which one seed alone has not (None); `eligible` says whether the recipe may be chosen, `chosen` whether it is.

    Args:
        rows: of the table `study_recipes`.
        metrics: which.
    """
    return [row for sweep in sweeps(CellRows(rows)) for row in _of_world(sweep, metrics)]


def _of_world(sweep: Sweep, metrics: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for one in sorted(sweep.candidates, key=lambda one: -(one.mean(SCORE) or 0.0)):
        whole = {"eligible": one in sweep.eligible, "chosen": one is sweep.chosen}
        for metric in metrics:
            values = one.by_seed(metric)
            if not values:
                continue
            row = {"world": sweep.world, "recipe": one.name, "metric": metric, **whole}
            row |= _ends("", mean_interval(list(values.values())))
            if sweep.reference is not None and one is not sweep.reference:
                difference = one.over(sweep.reference, metric)
                row |= {} if difference is None else _ends("difference_", difference)
            found.append(row)
    return found


def _ends(prefix: str, one: Estimate) -> dict[str, Any]:
    low, high = (None, None) if one.n < 2 else (one.low, one.high)
    return {f"{prefix}value": one.value, f"{prefix}low": low, f"{prefix}high": high, f"{prefix}n": one.n}
