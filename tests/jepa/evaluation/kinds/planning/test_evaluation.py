"""The evaluation `planning`: regret against the oracle, several planners side by side, what does not fit together."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from jepa.core.errors import InputError
from jepa.evaluation import PlanningConfig, PlanningEvaluation, get_protocol
from jepa.planning import PLANNERS, Plan, RandomConfig, RandomPlanner, Situation
from jepa.planning.planners.cem import LatentCEM
from jepa.planning.planners.oracle import Oracle
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

CEM = {"samples": 100, "elites": 10, "iterations": 5, "candidates_at_once": 100}
ORACLE = {"samples": 100, "elites": 10, "iterations": 8, "candidates_at_once": 1200}
SMALL = {"samples": 8, "elites": 2, "iterations": 1, "candidates_at_once": 100}
NO_PICTURES: dict[str, Any] = {"frames_shown": 0, "position_frames": 20, "position_probe": {"hidden": 4, "steps": 1}}
MODEL: Any = CentroidModel()


def config(planners: dict[str, dict[str, Any]] | None = None, **changes: Any) -> PlanningConfig:
    fields = {"problems": 12, "frames_shown": 3, "position_frames": 300}
    planners = {"cem": CEM, "oracle": ORACLE} if planners is None else planners
    return PlanningConfig.model_validate(fields | {"planners": planners} | changes)


def test_rows_and_regret(source: MemorySource) -> None:
    result = PlanningEvaluation(config(), "p-v1").run("test/uniform", MODEL, source, seed=0)
    values = figures(result.metrics, "planner", "quantity")
    assert values["oracle", None, "success_rate"] == 1.0
    assert values["oracle", "success", "regret"] == 0.0 and values["oracle", "final_distance", "regret"] == 0.0
    assert values["random", "success", "regret"] == pytest.approx(1 - values["random", None, "success_rate"])
    assert values["random", "final_distance", "regret"] > values["cem", "final_distance", "regret"] > 0
    rows = result.tables["episodes"]
    assert len(rows) == 3 * 12
    by_planner = {name: [row for row in rows if row["planner"] == name] for name in ("cem", "oracle", "random")}
    mean = np.mean([row["final_distance"] - row["oracle_final_distance"] for row in by_planner["cem"]])
    assert values["cem", "final_distance", "regret"] == pytest.approx(mean)
    for cem, oracle in zip(by_planner["cem"], by_planner["oracle"], strict=True):
        assert cem["problem"] == oracle["problem"] and cem["start_state"] == oracle["start_state"]
        assert cem["oracle_final_distance"] == oracle["final_distance"]
        assert np.shape(cem["path"]) == (51, 2) and np.shape(cem["planned_path"]) == (6, 2)
        assert np.shape(oracle["planned_path"]) == (26, 2)
        np.testing.assert_allclose(oracle["planned_path"], oracle["path"][:26], atol=1e-6)
        assert cem["goal_point"] == pytest.approx(json.loads(cem["goal_state"])["agent_position"], abs=1e-6)
        assert cem["frame_extent"] == [0.0, 1.0, 1.0, 0.0]
    assert sum("start_frame" in row for row in by_planner["cem"]) == 3
    # The latent is the position, so that the plan's drawing must lead to where the model takes it: near the goal.
    ends = [np.linalg.norm(np.subtract(row["planned_path"][-1], row["goal_point"])) for row in by_planner["cem"]]
    assert np.median(ends) < 0.08


def test_several_planners_stand_beside_the_oracle_and_chance_under_their_labels(source: MemorySource) -> None:
    planners: dict[str, dict[str, Any]] = {
        "cem": CEM,
        "cem-short": CEM | {"planner": "cem", "iterations": 1},
        "dice": {"planner": "random", "steps": 40},
        "oracle": ORACLE,
    }
    asked = config(planners, problems=3)
    assert list(asked.planners) == ["oracle", "cem", "cem-short", "dice", "random"]
    assert (asked.planners["cem-short"]["planner"], asked.planners["cem-short"]["iterations"]) == ("cem", 1)
    assert asked.planners["random"] == {"planner": "random", "steps": 25}, "as long as plans are carried out"
    result = PlanningEvaluation(asked, "p-v1").run("test/uniform", MODEL, source, seed=0)
    values = figures(result.metrics, "planner", "quantity")
    assert {planner for planner, *_ in values} == set(asked.planners)
    assert len(result.tables["episodes"]) == 5 * 3
    distances = {label: values[label, None, "final_distance"] for label in ("cem", "cem-short", "dice", "random")}
    assert distances["cem"] != distances["cem-short"]
    assert distances["dice"] == distances["random"], "a longer plan of the same seed begins alike"


class Still(RandomPlanner):
    """Plans to stay where it is."""

    closed = 0

    def plan(self, situation: Situation) -> Plan:
        plan = super().plan(situation)
        return Plan(0 * plan.action_PLA, plan.seconds_P)

    def close(self) -> None:
        Still.closed += 1


def test_a_planner_of_another_s_is_chosen_by_name(source: MemorySource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLANNERS._entries, "still", Still)
    asked = config({"still": {"steps": 30}, "oracle": ORACLE}, problems=2, budget=10, replan_every=10)
    result = PlanningEvaluation(asked, "p-v1").run("test/uniform", MODEL, source, seed=0)
    rows = [row for row in result.tables["episodes"] if row["planner"] == "still"]
    assert len(rows) == 2 and Still.closed == 1
    for row in rows:
        np.testing.assert_array_equal(row["path"], np.tile(row["path"][0], (11, 1)))


def test_worlds_are_closed_even_where_a_planner_fails(source: MemorySource, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    close = Oracle.close

    def closing(self: Oracle) -> None:
        closed.append("oracle")
        close(self)

    monkeypatch.setattr(Oracle, "close", closing)

    def failing(self: LatentCEM, situation: Situation) -> Plan:
        raise RuntimeError("no plan")

    monkeypatch.setattr(LatentCEM, "plan", failing)
    with pytest.raises(RuntimeError, match="no plan"):
        PlanningEvaluation(config(problems=2), "p-v1").run("test/uniform", MODEL, source, seed=0)
    assert closed == ["oracle"]


@pytest.mark.parametrize(
    ("planners", "replan_every", "sentence"),
    [
        ({"cem": CEM}, 30, r"replan_every 30 must be .* at most the 25 steps of a plan by 'oracle'"),
        ({"cem": CEM, "oracle": ORACLE | {"horizon": 6}}, 30, "at most the 25 steps of a plan by 'cem'"),
        ({"cem": CEM, "dice": {"planner": "random", "steps": 5}}, 10, "at most the 5 steps of a plan by 'dice'"),
        ({"cem": CEM}, 12, r"replan_every 12 must be a multiple of the model's frameskip \(5\)"),
    ],
)
def test_a_plan_shorter_than_what_is_carried_out_is_refused(
    source: MemorySource, planners: dict[str, dict[str, Any]], replan_every: int, sentence: str
) -> None:
    evaluation = PlanningEvaluation(config(planners, replan_every=replan_every), "p-v1")
    with pytest.raises(InputError, match=sentence):
        evaluation.run("test/uniform", MODEL, source, 0)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"planners": {"magic": {}}}, "planner 'magic' is not known; choose one of: cem, demonstration, gradient, "),
        ({"planners": {"cem-long": {"planner": "lqr"}}}, "planner 'lqr' is not known"),
        ({"planners": {"cem-long": {"planner": "cem", "samples": 0}}}, r"cem-long\.samples: .*greater than 0, got 0"),
        ({"planners": {"oracle": {"planner": "cem"}}}, "oracle is the planner of that name in every table, not 'cem'"),
        ({"planners": {"cem": 3}}, r"planners\.cem\n.*valid dictionary"),
        ({"cem": {"samples": 3}}, r"cem is called planners\.cem now"),
        ({"oracle": {}}, r"oracle is called planners\.oracle now"),
    ],
)
def test_planners_that_do_not_fit_are_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        PlanningConfig.model_validate(fields)


def test_complete_options_are_stored_and_read_again() -> None:
    asked = config({"cem": {"chunk": 40}})
    assert asked.planners["cem"]["candidates_at_once"] == 40 and asked.planners["cem"]["samples"] == 300
    assert PlanningConfig.model_validate(asked.model_dump(mode="json")) == asked
    assert asked.planners["random"] == {"planner": "random", **RandomConfig(steps=25).model_dump()}


def test_short_episodes_are_refused() -> None:
    with pytest.raises(InputError, match="longer episodes"):
        PlanningEvaluation(PlanningConfig(), "p-v1").units(MemorySource({"test": 3}, steps=20))


def test_several_offsets_are_units_and_rows_of_their_own(source: MemorySource) -> None:
    planners: dict[str, dict[str, Any]] = {"oracle": SMALL, "cem": SMALL}
    settings: dict[str, Any] = {"offsets": [10, 25], "budget_factor": 2, "goal_kinds": ["uniform"], "replan_every": 25}
    asked = config(planners, problems=2, **settings, **NO_PICTURES)
    evaluation = PlanningEvaluation(asked, "p-v1")
    manifest = evaluation.draw_problems(source, seed=0)
    assert len(manifest.problems) == 2 * 2 * 2 and manifest.image_size == 64
    names = ["test/uniform/10", "test/uniform/25", "unseen/uniform/10", "unseen/uniform/25"]
    assert evaluation.units(source) == names
    apart = evaluation.run(names[1], MODEL, source, seed=0)
    evaluation.use_problems(manifest)
    assert evaluation.units(source) == names
    result = evaluation.run(names[1], MODEL, source, seed=0)
    assert figures(result.metrics, "planner", "quantity").keys() == figures(apart.metrics, "planner", "quantity").keys()
    rows = result.tables["episodes"]
    assert [row["start_row"] for row in rows] == [row["start_row"] for row in apart.tables["episodes"]]
    assert {(row["offset"], row["success_kind"], row["stream"]) for row in rows} == {(25, "usual", 0)}
    assert {len(row["path"]) for row in rows} == {51} and {row["offset"] for row in result.metrics} == {25}


def test_each_problem_is_solved_with_several_random_streams(source: MemorySource) -> None:
    asked = config({"oracle": SMALL, "random": {}}, problems=3, planner_seeds=2, **NO_PICTURES)
    result = PlanningEvaluation(asked, "p-v1").run("test/uniform", MODEL, source, seed=0)
    dice = [row for row in result.tables["episodes"] if row["planner"] == "random"]
    assert [(row["stream"], row["problem"]) for row in dice] == [(s, p) for s in (0, 1) for p in (0, 1, 2)]
    assert all(one["final_distance"] != other["final_distance"] for one, other in zip(dice[:3], dice[3:], strict=True))
    once = PlanningEvaluation(config(asked.planners, problems=3, **NO_PICTURES), "p-v1").run(
        "test/uniform", MODEL, source, seed=0
    )
    first = [row["final_distance"] for row in once.tables["episodes"] if row["planner"] == "random"]
    assert [row["final_distance"] for row in dice[:3]] == first, "the first stream is that of one stream alone"
    assert {row["n"] for row in result.metrics if row["metric"] in ("success_rate", "final_distance")} == {3}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"offsets": [25, 100]}, r"no test episode of 100 steps or more \(the longest has 64\).*protocol 'p-v1' needs"),
        ({"goal_kinds": ["elsewhere"]}, "goal_kinds of protocol 'p-v1' has 'elsewhere', which world 'two_room' lacks"),
        ({"success_kind": "lucky"}, "world 'two_room' has no success test 'lucky'; it has: usual"),
    ],
)
def test_a_protocol_that_does_not_fit_the_episodes_is_refused_before_any_work(
    source: MemorySource, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        PlanningEvaluation(config(**changes), "p-v1").draw_problems(source, 0)


@pytest.mark.parametrize("name", ["moderate-v1", "strict-v1"])
def test_stricter_protocols_judge_by_the_world_s_stricter_tests(source: MemorySource, name: str) -> None:
    settings = get_protocol(name).settings("planning").model_dump()
    planners = settings["planners"]
    assert planners["oracle"]["from_demonstration"]
    planners = {"cem": SMALL, "demonstration": {}, "oracle": planners["oracle"] | SMALL}
    changes = {"problems": 3, "planner_seeds": 1, "planners": planners, **NO_PICTURES}
    asked = PlanningConfig.model_validate(settings | changes)
    evaluation = PlanningEvaluation(asked, name)
    evaluation.use_problems(evaluation.draw_problems(source, seed=0))
    result = evaluation.run(evaluation.units(source)[0], MODEL, source, seed=0)
    rows = result.tables["episodes"]
    assert {row["success_kind"] for row in rows} == {asked.success_kind} and len(rows) == 4 * 3
    assert all(row["steps_to_goal"] > 0 for row in rows if row["success"]), "nothing is solved at the start"
    assert len({row["episode"] for row in rows}) == 3
    values = figures(result.metrics, "planner", "quantity")
    assert values["demonstration", None, "success_rate"] == values["oracle", None, "success_rate"] == 1
    lost = values["cem", "success", "regret_to_demonstration"]
    assert lost == 1 - values["cem", None, "success_rate"] == values["cem", "success", "regret"]
