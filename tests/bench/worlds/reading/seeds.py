"""Figures of trainings that differ in their seed alone, side by side, with their mean.

Shapes: none; a figure is `{"seeds": {"0": [value, low, high, n], "1": None}, "mean", "low", "high"}`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jepa.studies.claims import mean_interval
from pipelines.reports.selection import grouped, select

Figure = dict[str, Any]
"""`seeds` holds value, ends of its 95 % interval and n by training seed, None where it is missing; `mean` is over the
seeds that are there, `low` and `high` are Student's 95 % interval over them, None where that says nothing."""
FREE = (float("-inf"), float("inf"))
BOUNDS = {
    "success_rate": (0.0, 1.0),
    "auroc": (0.0, 1.0),
    "r2": (float("-inf"), 1.0),
    "pearson_r": (-1.0, 1.0),
    "mse": (0.0, float("inf")),
    "plan_seconds": (0.0, float("inf")),
}
"""What figures cannot be below or above, which the interval over few trainings is cut to."""
DIGITS = 5
"""Digits that are kept of a figure."""


def rounded(value: object) -> float | None:
    """Returns a number with the digits that are kept, None where there is none."""
    return None if value is None or pd.isna(value) else float(f"{float(str(value)):.{DIGITS}g}")  # type: ignore[call-overload]


def newest(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Returns one row of each combination of values: that of the newest version of its evaluation, written last."""
    ordered = rows.sort_values(["evaluation_version", "created_at"], na_position="first")
    return ordered.drop_duplicates(list(by), keep="last")


def over_seeds(rows: pd.DataFrame, seeds: Mapping[str, int], bounds: tuple[float, float] = FREE) -> Figure:
    """Returns one figure of several trainings.

    Args:
        rows: of the table `metrics`, one for each training that was judged.
        seeds: training seed by model, of all trainings.
        bounds: what the figure cannot be below or above.
    """
    found: dict[str, list[float | int | None] | None] = {str(seed): None for seed in seeds.values()}
    for row in rows.to_dict("records"):
        ends = [rounded(row[name]) for name in ("value", "ci_low", "ci_high")]
        found[str(seeds[str(row["model"])])] = [*ends, int(row["n"])]
    values = [float(one[0]) for one in found.values() if one is not None and one[0] is not None]
    return {"seeds": found, **mean_of(values, bounds)}


def tabled(
    rows: pd.DataFrame, by: Sequence[str], figures: Mapping[str, Mapping[str, str]], seeds: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Returns a table: a row for each combination of values, with its figures.

    Args:
        rows: of the table `metrics`.
        by: columns that tell rows apart.
        figures: what the columns say of a figure, by its name in the table; those that no row is of are left out.
        seeds: training seed by model.
    """
    table = []
    for values, own in grouped(rows, by):
        line: dict[str, Any] = plain(values)
        for name, where in figures.items():
            chosen = select(own, where)
            if len(chosen):
                line[name] = over_seeds(newest(chosen, ["model"]), seeds, BOUNDS.get(name, FREE))
        table.append(line)
    return table


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values of a table as JSON takes them."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def mean_of(values: Sequence[float], bounds: tuple[float, float]) -> dict[str, float | None]:
    """Returns the mean over trainings and the ends of Student's 95 % interval, None where it says nothing."""
    # One training has no interval, and trainings that agree to the digit say nothing of how far others would be.
    if len(set(values)) < 2:
        return {"mean": values[0] if values else None, "low": None, "high": None}
    mean, (least, most) = mean_interval(values), bounds
    ends = max(least, mean.low), min(most, mean.high)
    return {"mean": rounded(mean.value), "low": rounded(ends[0]), "high": rounded(ends[1])}
