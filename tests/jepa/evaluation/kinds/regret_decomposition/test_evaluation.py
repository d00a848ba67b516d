"""Regret is found where it is lost: at the cost, at the model, at the search, and nowhere where all are right."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.evaluation import RegretDecompositionConfig, RegretDecompositionEvaluation
from jepa.evaluation.evaluation import EvaluationResult, Row
from jepa.evaluation.kinds.regret_decomposition.evaluation import menu_steps
from jepa.planning import PlanningSetting
from jepa.planning.costs.cost import COSTS, PlanCost
from jepa.worlds import WORLDS
from tests.jepa.evaluation.lattice import Lattice, LatticeSource, TrueModel
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

SMALL = {"samples": 16, "elites": 4, "iterations": 2, "candidates_at_once": 16, "precision": "fp32"}
OPTIONS: dict[str, Any] = {
    "problems": 6,
    "planners": {"cem": SMALL},
    "from_planners": 8,
    "from_demonstration": 6,
    "random": 6,
    "problems_shown": 2,
}
PARTS = ("cost", "model", "search")


class Squashed(TrueModel):
    """Encodes a place as one that a distance misjudges: one axis hardly counts."""

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        return super().encode(pixels_BTHWC) * torch.tensor([1.0, 0.01])

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        scale = torch.tensor([1.0, 0.01])
        return super().rollout(z_BTD / scale, action_BHKA) * scale


class WrongModel(TrueModel):
    """Imagines the opposite of what the actions do."""

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        return super().rollout(z_BTD, -action_BHKA)


class Indifferent(TrueModel):
    """Imagines that nothing makes a difference."""

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        return torch.zeros_like(super().rollout(z_BTD, action_BHKA))


@pytest.fixture
def lattice(monkeypatch: pytest.MonkeyPatch) -> LatticeSource:
    monkeypatch.setitem(WORLDS._entries, "lattice", Lattice)
    return LatticeSource(8, 40)


def run(model: Any, source: MemorySource, unit: str = "test/uniform", **options: Any) -> EvaluationResult:
    config = RegretDecompositionConfig.model_validate({**OPTIONS, **options})
    return RegretDecompositionEvaluation(config, "p-v1").run(unit, model, source, seed=0)


def part(result: EvaluationResult, name: str) -> float:
    return float(figures(result.metrics, "quantity")[name, "regret_part"])


def test_the_true_model_of_a_state_loses_nothing_to_cost_and_model(lattice: LatticeSource) -> None:
    result = run(TrueModel(), lattice)
    values = figures(result.metrics, "quantity")
    assert values["cost", "regret_part"] == values["model", "regret_part"] == 0
    assert values["cost", "rank_correlation"] == values["model", "rank_correlation"] == pytest.approx(1)
    assert values["search", "regret_part"] == values["planner", "top1_regret"] > 0, "two iterations find no optimum"
    better = run(TrueModel(), lattice, planners={"cem": SMALL | {"samples": 256, "elites": 16, "iterations": 12}})
    assert part(better, "search") < 0.3 * part(result, "search")


def test_each_fault_is_found_where_it_is(lattice: LatticeSource) -> None:
    cost, model = run(Squashed(), lattice), run(WrongModel(), lattice)
    assert part(cost, "cost") > 2 and part(cost, "model") == 0
    assert part(model, "cost") == 0 and part(model, "model") > 10
    assert figures(model.metrics, "quantity")["model", "rank_correlation"] < 0.5


@pytest.mark.parametrize("model", [TrueModel, Squashed, WrongModel, Indifferent])
def test_the_parts_sum_to_the_regret_against_the_best_of_the_menu(
    model: type[TrueModel], lattice: LatticeSource
) -> None:
    result = run(model(), lattice)
    for row in result.tables["regret_problems"]:
        assert row["regret"] == pytest.approx(sum(row[f"regret_{name}"] for name in PARTS))
        assert row["regret"] >= 0 and row["regret_cost"] >= 0
    assert sum(part(result, name) for name in PARTS) == pytest.approx(
        figures(result.metrics, "quantity")["planner", "top1_regret"]
    )


def test_what_cannot_be_ranked_has_no_correlation_and_the_mean_regret_of_the_menu(lattice: LatticeSource) -> None:
    result = run(Indifferent(), lattice)
    quantities = {row["quantity"] for row in result.metrics if row["metric"] == "rank_correlation"}
    assert quantities == {"cost"}
    shown = [row for row in result.tables["regret_candidates"] if row["problem"] == 0]
    assert len({row["imagined_latent_cost"] for row in shown}) == 1
    (demonstration,) = (row for row in shown if row["origin"] == "demonstration")
    assert demonstration["true_cost"] == demonstration["real_latent_cost"] == 0, "it arrives, and is not ranked"
    shown.remove(demonstration)
    (first,) = (row for row in result.tables["regret_problems"] if row["problem"] == 0)
    assert first["imagined_best"] == pytest.approx(np.mean([row["true_cost"] for row in shown]))


def test_walls_that_a_model_does_not_know_are_the_model_s_part(source: MemorySource) -> None:
    result = run(CentroidModel(), source, unit="test/cross_room", problems=12)
    assert part(result, "cost") == pytest.approx(0, abs=0.01), "the latent is the position, to a fraction of a pixel"
    values = figures(result.metrics, "quantity")
    assert values["model", "rank_correlation"] < values["cost", "rank_correlation"] - 0.01


class FirstAxis(PlanCost):
    """Looks at how far the end is along the first axis alone, and was made with states."""

    Config = Config
    privileged = True

    def __init__(self, config: Any, setting: PlanningSetting) -> None:
        """Takes no options."""

    def __call__(self, z_PCHD: Tensor, goal_PD: Tensor, steps_left: int | None) -> Tensor:
        return (z_PCHD[:, :, -1, 0] - goal_PD[:, None, 0]).abs()


def test_costs_by_name_are_compared_on_one_menu(lattice: LatticeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COSTS._entries, "first_axis", FirstAxis)
    planners = {"cem": SMALL, "axis": {"planner": "cem", **SMALL, "cost": "first_axis"}}
    result = run(TrueModel(), lattice, planners=planners)
    lost = {row["planner"]: row["value"] for row in result.metrics if row["quantity"] == "cost" and row["unit"] != "1"}
    assert lost["cem"] == 0 and lost["axis"] > 1
    for table in result.tables.values():
        marks = {(row["planner"], row["cost"], row["privileged"]) for row in table}
        assert marks == {("cem", "latent", False), ("axis", "first_axis", True)}


def candidates(result: EvaluationResult, planner: str, problem: int) -> list[Row]:
    rows = result.tables["regret_candidates"]
    return [row for row in rows if (row["planner"], row["problem"]) == (planner, problem)]


def test_all_planners_of_a_run_share_one_menu(lattice: LatticeSource) -> None:
    planners = {"cem": SMALL, "long": {"planner": "cem", **SMALL, "iterations": 8}, "random": {"steps": 25}}
    result = run(TrueModel(), lattice, planners=planners, from_planners=9)
    assert {row["problem"] for row in result.tables["regret_candidates"]} == {0, 1}
    for problem in (0, 1):
        menus = {label: candidates(result, label, problem) for label in planners}
        assert {len(menu) for menu in menus.values()} == {21}
        assert len({tuple(row["true_cost"] for row in menu) for menu in menus.values()}) == 1
        chosen = {label: [row["candidate"] for row in menu if row["chosen"]] for label, menu in menus.items()}
        assert chosen == {"cem": [0], "long": [3], "random": [6]}
        origins = [row["origin"] for row in menus["cem"]]
        assert origins[:9] == [*(2 * ["plan", "last_iteration", "last_iteration"]), "plan", "near_plan", "near_plan"]
        assert origins[9:] == ["demonstration", *["near_demonstration"] * 5, *["random"] * 6]
    assert {row["planner"] for row in result.metrics} == set(planners)


def test_heads_are_asked_for_and_named_where_they_are_missing(lattice: LatticeSource) -> None:
    planners = {"cem": SMALL, "inverse": {}}
    config = RegretDecompositionConfig.model_validate({**OPTIONS, "planners": planners})
    assert RegretDecompositionEvaluation(config, "p-v1").needs_heads() == ("inverse",)
    with pytest.raises(InputError, match="head 'inverse' of the model is needed and not there"):
        run(TrueModel(), lattice, planners=planners)


def test_references_see_the_demonstration(lattice: LatticeSource) -> None:
    result = run(TrueModel(), lattice, planners={"demonstration": {}}, from_planners=1)
    assert {row["plan"] for row in result.tables["regret_problems"]} == {0}


def test_a_problem_s_rows_depend_on_the_seed_alone(lattice: LatticeSource) -> None:
    def rows(seed: int) -> list[Row]:
        config = RegretDecompositionConfig.model_validate(OPTIONS)
        evaluation = RegretDecompositionEvaluation(config, "p-v1")
        assert evaluation.units(lattice) == ["test/uniform"]
        return evaluation.run("test/uniform", TrueModel(), lattice, seed).tables["regret_problems"]  # type: ignore[arg-type]

    unlabelled = [{**row, "seed": 0} for row in rows(1)]
    assert rows(0) == rows(0) and rows(0) != unlabelled


def test_bad_requests_are_sentences(lattice: LatticeSource) -> None:
    config = RegretDecompositionConfig.model_validate({**OPTIONS, "ahead": 45})
    with pytest.raises(InputError, match="no held-out episode of 45 steps"):
        RegretDecompositionEvaluation(config, "p-v1").units(lattice)
    with pytest.raises(InputError, match="ahead is 7; give a multiple of the model's frameskip, 5"):
        run(TrueModel(), lattice, ahead=7)
    with pytest.raises(InputError, match="must plan equally far, got steps of cem 25, short 10"):
        menu_steps({"cem": 25, "short": 10}, 25, 5)
    assert menu_steps({"cem": 25, "long": 40}, 25, 5) == 25 and menu_steps({"cem": 25}, 50, 5) == 25
    with pytest.raises(ValueError, match="there are 2 planners"):
        RegretDecompositionConfig(planners={"cem": {}, "b": {"planner": "cem"}}, from_planners=1)
    with pytest.raises(ValueError, match="planner 'luck' is not known"):
        RegretDecompositionConfig(planners={"luck": {}})
