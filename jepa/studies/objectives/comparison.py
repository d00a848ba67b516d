"""The table that every reader of these papers wants: each arm's figures, and how they differ from another arm's."""

from collections.abc import Sequence
from typing import Any

from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import CellRows

COMPARED = (
    ("goals_reached", "uniform"),
    ("goals_reached", "cross_room"),
    ("final_distance", "cross_room"),
    ("linear_r2", "agent_position"),
    ("mlp_r2", "agent_position"),
    ("auroc", "teleport"),
    ("auroc", "recolour"),
    ("effective_rank", None),
    ("spread_left", None),
    ("training_seconds", None),
)
"""Metrics and their quantities that open the table; those that a table has not are left out."""


def comparison(
    rows: Sequence[dict[str, Any]], reference: str = "lewm", metrics: Sequence[tuple[str, str | None]] = COMPARED
) -> list[dict[str, Any]]:
    """Returns a row for each arm and metric: mean over seeds, and the difference from the reference paired by seed.

    `pandas.DataFrame(comparison(result.rows))` shows it; an interval that one seed alone has not is None.

    Args:
        rows: of the table `study_objectives`.
        reference: the arm that the others are compared with.
        metrics: which, with their quantity.
    """
    table, found = CellRows(rows), []
    for objective in table.distinct("objective"):
        for metric, quantity in metrics:
            mean = table.over_seeds(metric, objective=objective, quantity=quantity)
            if mean is None:
                continue
            row: dict[str, Any] = {"objective": objective, "metric": metric, "quantity": quantity, **_ends("", mean)}
            own = {"objective": objective, "quantity": quantity}
            difference = table.difference(metric, own, own | {"objective": reference})
            if objective != reference and difference is not None:
                row |= _ends("difference_", difference)
            found.append(row)
    return found


def _ends(prefix: str, one: Estimate) -> dict[str, Any]:
    low, high = (None, None) if one.n < 2 else (one.low, one.high)
    return {f"{prefix}value": one.value, f"{prefix}low": low, f"{prefix}high": high, f"{prefix}n": one.n}
