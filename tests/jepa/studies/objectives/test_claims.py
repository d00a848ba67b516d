"""Verdicts on tables whose answer is known, and on tables that lack cells."""

from typing import Any

import pytest

from jepa.studies import CellRows
from jepa.studies.objectives.claims import CLAIMS
from jepa.studies.objectives.comparison import comparison

JUDGES = {claim.name: claim.judge for claim in CLAIMS}


def rows(metric: str, by_arm: dict[str, list[float]], quantity: str | None = None) -> list[dict[str, Any]]:
    """Returns a row for each arm and seed."""
    return [
        {"objective": arm, "seed": seed, "metric": metric, "quantity": quantity, "value": value}
        for arm, values in by_arm.items()
        for seed, value in enumerate(values)
    ]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_table_without_the_cells_leaves_a_claim_open(claim: Any) -> None:
    assert claim.judge(CellRows([])).verdict == "not decided"
    others = rows("spread_left", {"ema": [1.0, 1.1]}) + rows("auroc", {"ema": [1.0, 1.0]}, "teleport")
    assert claim.judge(CellRows(others)).verdict == "not decided"


def test_collapse_is_read_off_the_spread_that_is_left() -> None:
    spread = {"prediction_only": [0.001, 0.002, 0.001], "lewm": [1.0, 1.1, 0.9], "lejepa": [1.0, 1.0, 1.1]}
    whole = CellRows(rows("spread_left", spread | {"pldm": [1.2, 1.3, 1.2]}))
    assert JUDGES["prediction-alone-collapses"](whole).verdict == "held"
    assert JUDGES["regularisers-prevent-collapse"](whole).verdict == "held"
    assert JUDGES["regularisers-prevent-collapse"](CellRows(rows("spread_left", spread))).verdict == "not decided"
    other = CellRows(rows("spread_left", {"prediction_only": [0.9, 1.0, 0.8], "auxiliary": [0.001, 0.001, 0.002]}))
    assert JUDGES["prediction-alone-collapses"](other).verdict == "did not hold"
    assert JUDGES["an-auxiliary-task-prevents-collapse"](other).verdict == "did not hold"


def test_plans_are_compared_seed_by_seed() -> None:
    """Seeds differ by more than the objectives do: only the paired difference tells them apart."""
    goals = {"lewm": [0.2, 0.5, 0.9], "ema": [0.1, 0.41, 0.79], "pldm": [0.3, 0.59, 1.0], "spectral": [0.9, 0.5, 0.2]}
    table = CellRows(rows("goals_reached", goals, "cross_room"))
    assert JUDGES["lewm-plans-better-than-ema"](table).verdict == "held"
    finding = JUDGES["lewm-plans-better-than-pldm"](table)
    assert finding.verdict == "did not hold" and "across rooms -0.097" in finding.found
    assert JUDGES["lewm-plans-better-than-spectral"](table).verdict == "not decided"


def test_surprise_is_compared_with_chance_and_between_perturbations() -> None:
    table = rows("auroc", {"lewm": [1.0, 1.0, 1.0]}, "teleport") + rows("auroc", {"lewm": [0.8, 0.9, 0.7]}, "recolour")
    assert JUDGES["lewm-notices-a-teleport"](CellRows(table)).verdict == "held"
    assert JUDGES["a-teleport-is-clearer-than-a-colour"](CellRows(table)).verdict == "not decided"
    clear = table[:3] + rows("auroc", {"lewm": [0.8, 0.81, 0.79]}, "recolour")
    assert JUDGES["a-teleport-is-clearer-than-a-colour"](CellRows(clear)).verdict == "held"


@pytest.mark.parametrize(
    ("lewm", "verdict"),
    [([0.99, 0.991, 0.989], "held"), ([0.8, 0.81, 0.79], "did not hold"), ([0.99, 0.8, 0.9], "not decided")],
)
def test_probes_are_compared_within_a_margin_of_r(lewm: list[float], verdict: str) -> None:
    table = rows("linear_r2", {"lewm": lewm, "pldm": [0.99, 0.99, 0.99]}, "agent_position")
    assert JUDGES["lewm-reads-position-as-well-as-pldm"](CellRows(table)).verdict == verdict


def test_the_comparison_pairs_each_arm_with_the_reference() -> None:
    table = rows("goals_reached", {"lewm": [0.2, 0.5], "ema": [0.1, 0.5]}, "uniform")
    found = {row["objective"]: row for row in comparison(table)}
    assert found["ema"]["value"] == pytest.approx(0.3) and found["ema"]["difference_value"] == pytest.approx(-0.05)
    assert found["ema"]["difference_low"] < -0.05 < found["ema"]["difference_high"]
    assert "difference_value" not in found["lewm"] and found["lewm"]["n"] == 2
    (alone,) = comparison(rows("goals_reached", {"ema": [0.1]}, "uniform"))
    assert alone["low"] is None and "difference_value" not in alone
