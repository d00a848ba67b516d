"""Which planners know more than frames and actions say: decided by the planner's class, for every planner and cost."""

from typing import Any

import pytest

from jepa.evaluation.kinds.planning.config import PlanningConfig, privileged_planners
from jepa.planning import COSTS, PLANNERS, Planner
from jepa.planning.heads.registry import HEADS
from jepa.planning.planner import planner_config
from tests.jepa.planning.searches import SEARCHES

KNOWS_STATES = {"oracle", "demonstration"}
"""Planners that look at true states, or at what comes, whatever their options."""
KNOWING_COSTS = {"decoded"}
KNOWING_HEADS = {"probe"}


def is_privileged(name: str, **options: Any) -> bool:
    return PLANNERS.get(name).is_privileged(planner_config(name, options))


@pytest.mark.parametrize("name", list(PLANNERS))
def test_every_planner_at_its_own_options(name: str) -> None:
    assert is_privileged(name) == (name in KNOWS_STATES)


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("cost", list(COSTS))
@pytest.mark.parametrize("warm_start", [None, "inverse"])
def test_every_search_by_every_cost(name: str, cost: str, warm_start: str | None) -> None:
    assert is_privileged(name, cost=cost, warm_start=warm_start) == (cost in KNOWING_COSTS)


def test_every_head_and_cost_says_for_itself_what_it_knows() -> None:
    assert {kind for kind in HEADS if HEADS.get(kind).privileged} == KNOWING_HEADS
    # A cost with a head that was fitted on states is marked by that head, whatever it says of itself.
    for name in COSTS:
        kind = COSTS.get(name)
        assert kind.privileged == (name in KNOWING_COSTS) >= any(HEADS.get(head).privileged for head in kind.heads)


def test_a_planner_from_outside_inherits_the_mark_from_its_heads() -> None:
    class Reads(PLANNERS.get("random")):  # type: ignore[misc]
        @classmethod
        def needs_heads(cls, config: Any) -> tuple[str, ...]:
            return ("probe",)

    reads: type[Planner] = Reads
    assert reads.is_privileged(planner_config("random", {}))


def test_labels_of_a_protocol_are_marked_one_by_one() -> None:
    planners = {"cem": {}, "seeing": {"planner": "icem", "cost": "decoded", "replan_every": 5}}
    config = PlanningConfig.model_validate({"planners": planners})
    assert privileged_planners(config.planners) == {"oracle": True, "cem": False, "seeing": True, "random": False}
