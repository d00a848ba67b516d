"""What a protocol may say of planning: offsets and budgets, the past that planners see, a look more often for one."""

from typing import Any

import pytest
from pydantic import ValidationError

from jepa.evaluation import PlanningConfig
from jepa.planning import PLANNERS, RandomConfig, RandomPlanner


class Remembering(RandomConfig):
    """A planner with a choice of the past that it sees."""

    history: str = "real"


def test_one_offset_or_several_by_either_name(caplog: pytest.LogCaptureFixture) -> None:
    assert PlanningConfig(offsets=[25, 50, 25]).offsets == (25, 50)
    assert PlanningConfig.model_validate({"offsets": 30}).offsets == (30,)
    assert PlanningConfig.model_validate({"ahead": 30}).offsets == (30,)
    assert "ahead is called offsets now" in caplog.text


def test_a_budget_is_a_number_or_a_multiple_of_the_offset() -> None:
    assert [PlanningConfig(budget=60).budget_of(offset) for offset in (25, 75)] == [60, 60]
    assert [PlanningConfig(budget_factor=1.5).budget_of(offset) for offset in (25, 75)] == [38, 113]


def test_a_planner_may_look_more_often_than_the_others() -> None:
    planners: dict[str, Any] = {
        "cem": {},
        "often": {"planner": "cem", "replan_every": 5},
        "dice": {"planner": "random"},
    }
    config = PlanningConfig(planners=planners)
    assert [config.replan_of(label) for label in ("cem", "often", "oracle")] == [25, 5, 25]
    assert PlanningConfig.model_validate(config.model_dump(mode="json")) == config


def test_history_reaches_the_planners_that_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLANNERS._entries, "mind", type("Mind", (RandomPlanner,), {"Config": Remembering}))
    planners: dict[str, Any] = {"cem": {}, "mind": {}, "old": {"planner": "mind", "history": "real"}}
    config = PlanningConfig(history="one", planners=planners)
    assert (config.planners["mind"]["history"], config.planners["old"]["history"]) == ("one", "real")
    assert config.planners["cem"].get("history") in (None, "one")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"offsets": []}, "offsets"),
        ({"offsets": [0]}, "greater than 0"),
        ({"offsets": [25], "ahead": 25}, "ahead is the old name of offsets, and both are given"),
        ({"budget_factor": 0}, "greater than 0"),
        ({"history": "some"}, "'real' or 'one'"),
        ({"planners": {"cem": {"replan_every": 0}}}, r"cem\.replan_every should be a whole number above 0, got 0"),
    ],
)
def test_what_cannot_be_is_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        PlanningConfig.model_validate(fields)


def test_a_past_that_no_planner_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLANNERS:
        monkeypatch.setattr(PLANNERS.get(name), "Config", RandomConfig)
    with pytest.raises(ValidationError, match="history is 'one' and no planner here has that option"):
        PlanningConfig(history="one", planners={})
