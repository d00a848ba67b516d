"""The choice on tables whose answer is known: by validation episodes alone, and never a privileged recipe."""

from typing import Any

import numpy as np
import pytest

from jepa.studies.claims import CellRows, Finding
from jepa.studies.grid import cells_of
from jepa.studies.recipes.cell import RecipesCell
from jepa.studies.recipes.choice import ERROR, SCORE, TEST_SCORE, Sweep, sweeps
from jepa.studies.recipes.claims import CLAIMS
from jepa.studies.recipes.comparison import comparison
from jepa.studies.recipes.factors import SMALL

JUDGES = {claim.name: claim.judge for claim in CLAIMS}
Rows = list[dict[str, Any]]


def recipe(experiment: str, scores: list[float], fields: dict[str, Any] | None = None, **metrics: list[float]) -> Rows:
    """Returns the rows of a recipe: a score on validation episodes for each seed, and further metrics likewise."""
    block = {"experiment": experiment, **(fields or {}), "seed": list(range(len(scores)))}
    cells = cells_of(RecipesCell, [block])
    return [
        {**one.model_dump(), "metric": metric, "quantity": None, "value": values[one.seed]}
        for one in cells
        for metric, values in ({SCORE: scores} | metrics).items()
    ]


REFERENCE = recipe("reference", [0.4, 0.5, 0.6], prediction_error=[0.3, 0.3, 0.3], test_score=[0.4, 0.5, 0.6])
LARGE = recipe(
    "latent_128",
    [0.5, 0.61, 0.7],
    {"latent_size": 128},
    prediction_error=[0.4, 0.4, 0.4],
    test_score=[0.45, 0.56, 0.65],
)
SURE = recipe(
    "batch_64",
    [0.2, 0.3, 0.4],
    {"batch_size": 64},
    prediction_error=[0.1, 0.1, 0.1],
    test_score=[0.9, 0.9, 0.91],
)
TAUGHT = recipe("regressed_usual", [0.9, 0.9, 0.9], {"regressed": "usual"}, test_score=[0.9, 0.9, 0.9])
SWEPT = REFERENCE + LARGE + SURE + TAUGHT


def sweep(rows: Rows) -> Sweep:
    (found,) = sweeps(CellRows(rows))
    return found


def verdict(claim: str, rows: Rows) -> Finding:
    return JUDGES[claim](CellRows(rows))


def test_validation_episodes_choose_and_neither_loss_nor_test_nor_privilege_do() -> None:
    held = sweep(SWEPT)
    assert held.chosen is not None and held.chosen.name == "latent_128"
    assert held.of_lowest_error is not None and held.of_lowest_error.name == "batch_64"
    assert [one.name for one in held.candidates if one.privileged] == ["regressed_usual (privileged)"]
    finding = verdict("a-change-pays-on-validation", SWEPT)
    assert finding.verdict == "held" and finding.n == 3 and finding.value == pytest.approx(0.31 / 3)
    assert "of 3 recipes latent_128 won; latent_128 (latent_size 128)" in finding.found
    assert "0.603 and the reference 0.500, +0.103" in finding.found


def test_test_episodes_decide_nothing_but_the_chosen_recipe_s_own_figures() -> None:
    """Whatever stands on test rows, the choice and every finding on validation episodes are the same."""
    rng = np.random.default_rng(0)
    shuffled = [row | {"value": float(rng.uniform())} if row["metric"].startswith("test_") else row for row in SWEPT]
    without = [row for row in SWEPT if not row["metric"].startswith("test_")]
    on_test = {"the-choice-holds-on-test", "the-lowest-loss-is-as-good"}
    for other in (shuffled, without):
        held = sweep(other)
        assert held.chosen is not None and held.chosen.name == "latent_128"
        assert {name: judge(CellRows(other)) for name, judge in JUDGES.items() if name not in on_test} == {
            name: judge(CellRows(SWEPT)) for name, judge in JUDGES.items() if name not in on_test
        }
        assert [row for row in comparison(other)] == [row for row in comparison(SWEPT)]
    assert verdict("the-choice-holds-on-test", shuffled) != verdict("the-choice-holds-on-test", SWEPT)


def test_the_choice_is_judged_on_test_against_the_reference() -> None:
    finding = verdict("the-choice-holds-on-test", SWEPT)
    assert finding.verdict == "held" and finding.value == pytest.approx(0.16 / 3)
    assert "latent_128 on test: score 0.553" in finding.found and "reference on test: score 0.500" in finding.found
    worse = recipe("latent_128", [0.5, 0.61, 0.7], {"latent_size": 128}, test_score=[0.3, 0.39, 0.5])
    assert verdict("the-choice-holds-on-test", REFERENCE + worse).verdict == "did not hold"


def test_a_reference_that_nothing_beats_is_chosen_itself() -> None:
    held = sweep(REFERENCE + SURE)
    assert held.chosen is held.reference
    finding = verdict("the-choice-holds-on-test", REFERENCE + SURE)
    assert finding.verdict == "not decided" and "the reference itself was chosen" in finding.found
    assert verdict("a-change-pays-on-validation", REFERENCE + SURE).verdict == "did not hold"
    equal = recipe("zebra", [0.4, 0.5, 0.6], {"latent_size": 128})
    tied = sweep(REFERENCE + equal)
    assert tied.chosen is tied.reference


@pytest.mark.parametrize(
    ("lowest", "verdict_of_loss"),
    [([0.2, 0.3, 0.41], "did not hold"), ([0.45, 0.557, 0.652], "held"), ([0.1, 0.5, 0.9], "not decided")],
)
def test_the_loss_s_choice_is_held_against_the_chosen_one_on_test(lowest: list[float], verdict_of_loss: str) -> None:
    by_loss = recipe(
        "batch_64", [0.2, 0.3, 0.4], {"batch_size": 64}, prediction_error=[0.1, 0.1, 0.1], test_score=lowest
    )
    finding = verdict("the-lowest-loss-is-as-good", REFERENCE + LARGE + by_loss)
    assert finding.verdict == verdict_of_loss and "lowest error: batch_64, chosen was latent_128" in finding.found
    # Error and score fall and rise together here, in every seed alike.
    assert "rank correlation of error and score over recipes +1.000" in finding.found
    same = verdict("the-lowest-loss-is-as-good", REFERENCE + recipe("a", [1.0] * 3, {"latent_size": 9}, **LOW))
    assert same.verdict == "held" and "which is the chosen one" in same.found


LOW: dict[str, list[float]] = {ERROR: [0.1, 0.1, 0.1], TEST_SCORE: [0.9, 0.8, 0.9]}


def test_a_recipe_that_lacks_a_seed_is_not_chosen() -> None:
    held = sweep(REFERENCE + [row for row in LARGE if row["seed"] != 1])
    assert held.chosen is held.reference and len(held.eligible) == 1
    assert comparison(REFERENCE + LARGE)[0]["chosen"] is True


def test_a_recipe_with_a_budget_of_its_own_is_compared_and_not_chosen() -> None:
    longer = recipe("twice_the_budget", [0.9, 0.91, 1.0], {"amount": 360.0})
    held = sweep(REFERENCE + LARGE + longer)
    assert held.chosen is not None and held.chosen.name == "latent_128" and len(held.eligible) == 2
    assert verdict("twice-the-budget-helps", REFERENCE + longer).verdict == "held"
    # Where one budget is given to all cells, the level is the reference under another name.
    (alone,) = sweep(REFERENCE + recipe("twice_the_budget", [0.4, 0.5, 0.6])).candidates
    assert alone.name == "reference"


def test_without_one_reference_nothing_is_decided_and_the_finding_says_so() -> None:
    twice = REFERENCE + recipe("reference", [0.9, 0.9, 0.9], {"latent_size": 8})
    for rows, words in ((LARGE, "no recipe is of experiment 'reference'"), (twice, "2 recipes are of experiment")):
        for name in JUDGES:
            finding = verdict(name, rows)
            assert finding.verdict == "not decided" and words in finding.found, name


def test_a_factor_is_what_differs_from_the_reference_in_its_fields_alone() -> None:
    both = recipe("both", [0.0, 0.0, 0.0], {"latent_size": 32, "batch_size": 64})
    finding = verdict("another-latent-size-does-not-help", SWEPT + both)
    assert finding.verdict == "did not hold" and "latent_128 +0.103" in finding.found and "both" not in finding.found
    assert verdict("a-smaller-batch-does-not-help", SWEPT).verdict == "held"
    assert verdict("a-history-does-not-help", SWEPT).verdict == "not decided"
    assert "(privileged)" in verdict("regression-of-a-quantity-helps", SWEPT).found
    fast = recipe("later", [0.1, 0.2, 0.3], {"hold": 0.6})
    constant = recipe("constant", [0.3, 0.39, 0.5], {"sigreg_weight_end": 0.1})
    annealing = verdict("annealing-helps", REFERENCE + fast + constant)
    assert annealing.verdict == "held" and "constant" in annealing.found and "later" not in annealing.found
    assert verdict("another-lambda-does-not-help", REFERENCE + constant).verdict == "not decided"
    shipped = recipe("recipe_small", [0.6, 0.71, 0.8], SMALL) + recipe("head", [0.1] * 3, {"joint_head": "inverse"})
    finding = verdict("the-recipe-small-helps", REFERENCE + shipped)
    assert finding.verdict == "held" and "head" not in finding.found


def test_several_worlds_are_swept_apart_and_a_claim_has_to_hold_in_each() -> None:
    there = {"world": "reacher"}
    other = recipe("reference", [0.5, 0.6, 0.7], there) + recipe(
        "latent_128", [0.1, 0.2, 0.31], there | {"latent_size": 128}
    )
    assert [one.world for one in sweeps(CellRows(SWEPT + other))] == ["pusht", "reacher"]
    finding = verdict("a-change-pays-on-validation", SWEPT + other)
    assert finding.verdict == "did not hold" and "pusht: of 3" in finding.found and "reacher: of 2" in finding.found


def test_the_table_has_the_best_recipe_first_and_differences_paired_by_seed() -> None:
    table = comparison(SWEPT, [SCORE])
    assert [row["recipe"] for row in table] == ["regressed_usual (privileged)", "latent_128", "reference", "batch_64"]
    large = table[1]
    assert large["difference_value"] == pytest.approx(0.31 / 3) and large["difference_low"] > 0
    assert "difference_value" not in table[2] and [row["eligible"] for row in table] == [False, True, True, True]
