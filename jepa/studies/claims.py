"""Claims: a paper's sentence, what it published, and the verdict that a table of cells allows on it.

A verdict is read off an interval over seeds, never off one value: *held* where the whole interval lies on the claimed
side, *did not hold* where the whole interval lies on the other, *not decided at this size* otherwise, and wherever the
cells that it needs were not run.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from jepa.evaluation.statistics import Estimate

Verdict = Literal["held", "did not hold", "not decided"]


@dataclass(frozen=True)
class Finding:
    """What was found of a claim."""

    verdict: Verdict
    found: str
    """our figures in words, e.g. `R² .9997 at N = 2, .9992 at N = 16`"""
    value: float | None = None
    """the figure that decides; for several, the one closest to the border; one that is not finite is None"""
    low: float | None = None
    high: float | None = None
    n: int = 0
    """seeds, or samples, behind the interval"""

    def __post_init__(self) -> None:
        # JSON has no other numbers; an interval without one of its ends says nothing.
        for names in (("value",), ("low", "high")):
            if not all(math.isfinite(getattr(self, name) or 0.0) for name in names):
                for name in names:
                    object.__setattr__(self, name, None)


class CellRows:
    """The measures of a study's cells, to be asked for what a claim is about."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Takes rows of the table `study_<name>`."""
        self.rows = list(rows)

    def where(self, **fields: Any) -> "CellRows":
        """Returns the rows whose fields have these values; a set or a list allows each of its values."""
        return CellRows([row for row in self.rows if all(_fits(row.get(k), v) for k, v in fields.items())])

    def distinct(self, field: str) -> list[Any]:
        """Returns the values of a field in order."""
        return sorted({row[field] for row in self.rows if row.get(field) is not None})

    def by_seed(self, metric: str, **fields: Any) -> dict[int, float]:
        """Returns a metric's value for each seed; several rows of one seed are averaged."""
        found: dict[int, list[float]] = {}
        for row in self.where(metric=metric, **fields).rows:
            found.setdefault(int(row["seed"]), []).append(float(row["value"]))
        return {seed: float(np.mean(values)) for seed, values in sorted(found.items())}

    def over_seeds(self, metric: str, **fields: Any) -> Estimate | None:
        """Returns a metric's mean over seeds with its interval, None where no cell measured it."""
        values = self.by_seed(metric, **fields)
        return mean_interval(list(values.values())) if values else None

    def difference(self, metric: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Estimate | None:
        """Returns the mean of `one` minus `other` paired by seed, None where they share no seed."""
        first, second = self.by_seed(metric, **one), self.by_seed(metric, **other)
        shared = sorted(first.keys() & second.keys())
        return mean_interval([first[seed] - second[seed] for seed in shared]) if shared else None


def mean_interval(values: ArrayLike) -> Estimate:
    """Returns the mean with Student's interval, mean ± t s/√n; unbounded for one value, or where one is not finite."""
    sample = np.asarray(values, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # ∞ − ∞
        mean, n = float(sample.mean()), len(sample)
    if n < 2 or not np.isfinite(sample).all():
        return Estimate(mean, float("-inf"), float("inf"), n)
    half = float(stdtrit(n - 1, 0.975) * sample.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)


@dataclass(frozen=True)
class Claim:
    """One claim of a paper and how the table of cells judges it."""

    name: str
    """short identifier, letters, digits and hyphens"""
    source: str
    """where it stands, e.g. `Theorem 5.1`"""
    sentence: str
    """the claim in our words"""
    published: str
    """the published value, or that there is none"""
    judge: Callable[[CellRows], Finding]


def undecided(found: str = "its cells were not run") -> Finding:
    """Returns the finding of a claim that the table says nothing about."""
    return Finding("not decided", found)


def side_of(border: float, estimates: Sequence[Estimate | None], found: str, *, above: bool = True) -> Finding:
    """Returns *held* where every interval lies above (below) a border, *did not hold* where one lies wholly beyond it.

    Args:
        border: that the claim names.
        estimates: one or several figures, all of which the claim is about; None for one that was not measured.
        found: our figures in words.
        above: whether the claim says above.
    """
    present = [estimate for estimate in estimates if estimate is not None]
    if not present or len(present) < len(estimates):
        return undecided()
    sign = 1.0 if above else -1.0
    worst = min(present, key=lambda one: sign * (one.low if above else one.high))
    verdict: Verdict = "not decided"
    if all(sign * (one.low if above else one.high) > sign * border for one in present):
        verdict = "held"
    elif any(sign * (one.high if above else one.low) < sign * border for one in present):
        verdict = "did not hold"
    return Finding(verdict, found, worst.value, worst.low, worst.high, worst.n)


def _fits(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, (set, frozenset, list, tuple)) else bool(value == wanted)
