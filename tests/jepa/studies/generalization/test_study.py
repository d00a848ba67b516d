"""The study end to end on small grids, and its judges on tables that say the opposite or nothing."""

import math
from typing import Any

import pytest

from jepa.studies import CellRows, cells_of, run_study
from jepa.studies.generalization.claims import CLAIMS
from jepa.studies.generalization.study import EXPERIMENTS, Generalization

SMALL: list[dict[str, Any]] = [
    {"experiment": "constant", "world": ["ring", "blocks", "maps"], "seed": [0, 1, 2]},
    {"experiment": "regret", "world": ["ring", "permutations"], "states": 12, "samples": [0, 100], "seed": [0, 1]},
    {"experiment": "regret", "world": "skewed_blocks", "states": 12, "seed": [0, 1, 2]},
    {"experiment": "horizon", "world": "permutations", "states": 12, "k": 12, "horizon": 3, "samples": [15, 120]},
    {"experiment": "tradeoff", "samples": [50, 1000], "seed": range(8)},
    {"experiment": "bridge", "rho": [0.5, 0.9]},
]
EXPECTED = {
    "constant": "held",
    "optimum": "held",
    "one-encoder": "did not hold",
    "bridge": "held",
    "regret-one-step": "held",
    "regret-premise": "did not hold",
    "regret-sharper": "held",
    "regret-many-steps": "held",
    "trade-off-parts": "held",
    "trade-off-risk": "held",
    "trade-off-drift": "held",
}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return run_study("generalization", grid=SMALL).rows


def verdicts(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {claim.name: claim.judge(CellRows(rows)).verdict for claim in CLAIMS}


def test_small_cells_already_decide_what_is_exact(rows: list[dict[str, Any]]) -> None:
    found = verdicts(rows)
    assert {name: found[name] for name in EXPECTED} == EXPECTED
    assert all(math.isfinite(row["value"]) for row in rows)


@pytest.mark.parametrize(
    ("claim", "metric", "value"),
    [
        ("constant", "constant_gap", 0.1),
        ("optimum", "optimum_gap", 0.1),
        ("optimum", "least_excess", -0.1),
        ("bridge", "bridge_gap", 0.1),
        ("bridge", "whitened_excess", -0.1),
        ("regret-one-step", "slack", -0.1),
        ("regret-sharper", "slack", -0.1),
        ("regret-many-steps", "slack", -0.1),
    ],
)
def test_one_cell_against_it_ends_an_exact_claim(
    rows: list[dict[str, Any]], claim: str, metric: str, value: float
) -> None:
    against = [row | {"value": value} if row["metric"] == metric else row for row in rows]
    assert verdicts(against)[claim] == "did not hold"


def test_a_best_size_at_the_end_is_no_trade_off(rows: list[dict[str, Any]]) -> None:
    falling = [row | {"value": -row["x"] - 0.01 * row["seed"]} if row["metric"] == "error" else row for row in rows]
    found = verdicts(falling)
    assert found["trade-off-risk"] != "held" and found["trade-off-parts"] != "held"
    swapped = [row | {"samples": 5000 - row["samples"]} if row["metric"] == "error" else row for row in rows]
    assert verdicts(swapped)["trade-off-drift"] == "did not hold"


def test_without_cells_nothing_is_decided(rows: list[dict[str, Any]]) -> None:
    assert set(verdicts([]).values()) == {"not decided"}
    for experiment in EXPERIMENTS:
        part = [row for row in rows if row["experiment"] != experiment]
        assert set(verdicts(part).values()) <= {"held", "did not hold", "not decided"}


def test_an_experiment_with_a_world_of_its_own_says_so() -> None:
    cells = cells_of(Generalization.Cell, [{"experiment": ["bridge", "point_mass", "regret"], "world": "torus"}])
    assert [cell.world for cell in cells] == ["ornstein_uhlenbeck", "point_mass", "torus"]


@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_the_presets_name_every_experiment(preset: str) -> None:
    study = Generalization()
    cells = study.cells(preset)
    assert {cell.experiment for cell in cells} == set(EXPERIMENTS)
    assert all(study.cost(cell) > 0 for cell in cells)
    seeds = {cell.seed for cell in cells if cell.experiment == "tradeoff"}
    assert len(seeds) >= 20


def test_a_cell_gives_the_same_rows_again() -> None:
    grid: list[dict[str, Any]] = [
        {"experiment": "spectral", "k": 3, "steps": 20},
        {"experiment": "regret", "world": "blocks"},
    ]
    first, second = (run_study("generalization", grid=grid).rows for _ in range(2))
    assert [{**row, "seconds": 0} for row in first] == [{**row, "seconds": 0} for row in second]
