"""A grid: every combination of values is a planner of the run under a label, beside oracle and random."""

from typing import Any

import pytest

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation import PlanningConfig, Protocol, get_protocol
from pipelines.evaluate import plan_evaluation
from pipelines.evaluate.grid import grid_values, with_grid
from tests.pipelines.evaluate.asked import config


def planners(protocol: Protocol) -> dict[str, dict[str, Any]]:
    settings = protocol.settings("planning")
    assert isinstance(settings, PlanningConfig)
    return settings.planners


@pytest.mark.parametrize(
    ("given", "values"),
    [("64,300", (64, 300)), (64, (64,)), ([5, 25], (5, 25)), ("0.5, 1e-3", (0.5, 0.001)), ("bf16", ("bf16",))],
)
def test_values_are_a_list_or_text_with_commas(given: object, values: tuple[object, ...]) -> None:
    assert grid_values(given) == values


def test_every_combination_is_a_planner_and_the_references_stay() -> None:
    protocol = get_protocol("tiny-v1")
    grid = with_grid(protocol, {"samples": (16, 32), "iterations": (1,), "replan": (5, 25)})
    varied = planners(grid)
    labels = [f"cem samples={s} iterations=1 replan={r}" for s in (16, 32) for r in (5, 25)]
    assert list(varied) == ["oracle", "random", *labels] and grid.name == "tiny-v1-grid"
    assert varied["oracle"] == planners(protocol)["oracle"]
    first = varied[labels[0]]
    assert (first["planner"], first["samples"], first["iterations"], first["replan_every"]) == ("cem", 16, 1, 5)
    assert first["elites"] == planners(protocol)["cem"]["elites"], "what is not varied is the protocol's"


def test_another_planner_may_be_varied() -> None:
    grid = with_grid(get_protocol("tiny-v1"), {"planner": ("random",), "steps": (25, 50)})
    assert [label for label in planners(grid) if "steps" in label] == ["random steps=25", "random steps=50"]


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        ({"planner": "cem"}, "grid varies nothing"),
        ({"smaples": "1,2"}, "smaples: Extra inputs are not permitted"),
        ({"samples": "0"}, "greater than 0"),
        ({"planner": "magic", "samples": "1"}, "planner 'magic' is not known"),
        ({"samples": ",".join(str(n) for n in range(100, 400))}, "makes 302 planners; take 200 or fewer"),
    ],
)
def test_what_cannot_be_varied_is_said_before_any_work(judged: Store, grid: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        plan_evaluation(config(grid=grid), judged)


def test_its_units_are_of_a_protocol_of_its_own(judged: Store) -> None:
    plan = plan_evaluation(config(kinds=["planning"], grid={"samples": "8,16"}), judged)
    assert {unit.protocol for unit in plan.units} == {"tiny-v1-grid"}
    assert "cem samples=8" in plan.units[0].settings["planners"]
    assert {unit.problems for unit in plan.units} == {
        unit.problems for unit in plan_evaluation(config(), judged).units
    } - {None}, "the problems are those of the protocol"
