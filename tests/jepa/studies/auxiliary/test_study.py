"""The study `auxiliary` in small: the arms on vectors, its tables, and claims with and without their cells."""

import pytest

from jepa.studies import STUDIES, CellRows, StudyResult, judge, run_study
from jepa.studies.auxiliary.claims import CLAIMS
from jepa.studies.auxiliary.presets import PRESETS
from jepa.studies.auxiliary.section import POINTS
from jepa.training.trainer import TrainConfig, collapse

FEW = {"observation": "vector", "seed": 0, "batch": 64, "each": 60}


@pytest.fixture(scope="module")
def arms() -> StudyResult:
    grid = [
        {**FEW, "arm": "joint", "steps": 350},
        {**FEW, "arm": ["reward", "random"], "steps": 80},
        {**FEW, "arm": "transition", "steps": 200, "learning_rate": 0.01},
    ]
    return run_study("auxiliary", grid=grid)


def figure(result: StudyResult, metric: str, arm: str) -> float:
    (value,) = CellRows(result.rows).by_seed(metric, arm=arm).values()
    return value


def test_the_arms_differ_as_the_theorem_says(arms: StudyResult) -> None:
    assert figure(arms, "accuracy", "joint") > 0.5
    assert figure(arms, "accuracy", "transition") < 0.4 and figure(arms, "spread_over_initial", "transition") < 0.3
    assert figure(arms, "nuisance_r2", "random") > figure(arms, "nuisance_r2", "joint") + 0.1
    assert figure(arms, "within_share", "random") > figure(arms, "within_share", "joint")


def test_the_alarm_is_that_of_training(arms: StudyResult) -> None:
    least = TrainConfig().collapse_std
    for arm in ("joint", "reward", "transition", "random"):
        assert figure(arms, "alarm", arm) == (figure(arms, "latent_std", arm) < least)
        assert bool(collapse(figure(arms, "latent_std", arm), least)) == (figure(arms, "alarm", arm) == 1)
    assert "have collapsed" in collapse(least / 2, least) and not collapse(least, least)


def test_pictures_are_made_of_every_arm(arms: StudyResult) -> None:
    points, distances = arms.tables[POINTS.name], arms.tables["study_auxiliary_distances"]
    assert {row["arm"] for row in points} == {"joint", "reward", "transition", "random"}
    assert len(distances) == 4 * 81 and {row["count"] for row in points} == set(range(9))
    declared = {table.name: {column.name for column in table.columns} for table in STUDIES.get("auxiliary").tables}
    assert set(points[0]) == declared[POINTS.name] and set(distances[0]) == declared["study_auxiliary_distances"]


def test_a_cell_is_a_function_of_its_fields() -> None:
    grid = [{**FEW, "steps": 5, "transition": ["linear", "mlp"]}]
    one, same = (run_study("auxiliary", grid=grid).rows for _ in range(2))
    assert [row["value"] for row in one] == [row["value"] for row in same]
    assert one[0]["value"] != run_study("auxiliary", grid=[{**FEW, "steps": 5, "seed": 1}]).rows[0]["value"]


def test_pixels_are_trained_on_too() -> None:
    rows = run_study("auxiliary", grid=[{"observation": "pixels", "steps": 2, "batch": 8, "each": 4}]).rows
    assert {"accuracy", "rank_me", "alarm"} <= {row["metric"] for row in rows}


def test_the_theorem_holds_on_every_table() -> None:
    result = run_study("auxiliary", grid=[{"experiment": "theorem", "seed": [0, 1], "processes": 20, "states": 4}])
    findings = {claim.name: finding for claim, finding in result.findings}
    assert findings["theorem"].verdict == "held"
    assert {finding.verdict for name, finding in findings.items() if name != "theorem"} == {"not decided"}


def rows_of(metric: str, values: dict[str, list[float]]) -> list[dict[str, object]]:
    facts = {"experiment": "arms", "observation": "pixels", "transition": "linear", "metric": metric}
    return [
        {**facts, "arm": arm, "seed": seed, "value": value}
        for arm, found in values.items()
        for seed, value in enumerate(found)
    ]


@pytest.mark.parametrize(
    ("values", "verdicts"),
    [
        ({"joint": [0.97, 0.98, 0.97], "reward": [0.3, 0.4, 0.35]}, ("held", "held")),
        ({"joint": [0.7, 0.71, 0.7], "reward": [0.9, 0.92, 0.9]}, ("did not hold", "did not hold")),
        ({"joint": [0.8, 0.99, 0.9], "reward": [0.7, 0.99, 0.9]}, ("not decided", "not decided")),
    ],
)
def test_claims_follow_the_intervals(values: dict[str, list[float]], verdicts: tuple[str, str]) -> None:
    rows = rows_of("accuracy", values) + rows_of("collisions", {arm: [0.0] * 3 for arm in values})
    findings = {claim.name: finding for claim, finding in judge(STUDIES.get("auxiliary")(), rows)}
    assert (findings["joint-separates"].verdict, findings["reward-alone-is-coarser"].verdict) == verdicts


def test_no_claim_is_decided_by_an_empty_table() -> None:
    assert {claim.judge(CellRows([])).verdict for claim in CLAIMS} == {"not decided"}


def test_presets_are_grids_with_seeds_enough_to_judge() -> None:
    study = STUDIES.get("auxiliary")()
    tiny, paper = (study.cells(name) for name in PRESETS)
    assert len(tiny) < 40 and len(paper) > 100
    assert len({cell.seed for cell in tiny if cell.observation == "pixels" and cell.arm == "joint"}) >= 3
