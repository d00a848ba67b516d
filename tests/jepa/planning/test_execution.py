"""Execution in the true world: paths are walked, goals count at any step, what does not fit is refused."""

from dataclasses import replace

import numpy as np
import pytest

from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.planning import Plan, Problem, RandomPlanner, Situation, execute, make_planner
from jepa.planning.execution import planning_horizons
from jepa.worlds import make_world
from jepa.worlds.success import SuccessKind
from jepa.worlds.two_room.world import TwoRoom
from tests.jepa.evaluation.standins import MemorySource
from tests.jepa.planning.setting import RIGHT_MODEL, run
from tests.narrow import present


def test_paths_are_walked_in_the_true_world(source: MemorySource) -> None:
    problems = draw_problems(source, "test", "uniform", 5, 25, seed=1)
    sizes = {"samples": 200, "elites": 20, "iterations": 3}
    runs = run("oracle", sizes, problems, budget=10, replan_every=5)
    world = make_world("two_room", 1)
    for problem, one in zip(problems, runs, strict=True):
        path = one.path["agent_position"]
        assert path.shape == (11, 2) and len(one.plan_seconds) == 2
        np.testing.assert_array_equal(path[0], problem.start["agent_position"])
        goal_distance = np.linalg.norm(path - problem.goal["agent_position"], axis=1)
        assert one.final_distance == pytest.approx(goal_distance[-1], abs=1e-6)
        assert one.success == bool((goal_distance < 0.08).any())
        world.restore({name: value[None] for name, value in problem.start.items()})
        np.testing.assert_allclose(present(one.imagined_state)["agent_position"][:6], path[:6], atol=1e-6)


def test_a_goal_met_on_the_way_counts(source: MemorySource) -> None:
    problem = draw_problems(source, "test", "uniform", 1, 25, seed=4)[0]
    (one,) = run("random", {}, [replace(problem, goal=problem.start)])
    assert one.success


@pytest.mark.parametrize(
    ("budget", "replan_every", "plan_steps", "horizons"),
    [
        (50, 25, 25, [25, 25]),
        (50, 5, 25, [25, 20, 15, 10, 5, 25, 20, 15, 10, 5]),
        (50, 10, 25, [25, 15, 10, 20, 10]),
        (50, 25, 40, [40, 25]),
        (20, 10, 25, [20, 10]),
        (50, 20, 25, [25, 20, 10]),
    ],
)
def test_the_horizon_shrinks_with_the_steps_that_are_left(
    budget: int, replan_every: int, plan_steps: int, horizons: list[int]
) -> None:
    assert planning_horizons(budget, replan_every, plan_steps) == horizons


ORACLE = {"samples": 64, "elites": 8, "iterations": 8, "path_weight": 0.0}
"""Nothing rewards arriving early, as nothing in the cost of a planner with a model does."""
CEM = {"samples": 100, "elites": 10, "iterations": 5}


@pytest.mark.parametrize(
    ("name", "options", "goal_kind"),
    [("oracle", ORACLE, "uniform"), ("oracle", ORACLE, "cross_room"), ("cem", CEM, "uniform")],
)
def test_looking_more_often_is_never_worse(
    source: MemorySource, name: str, options: dict[str, float], goal_kind: str
) -> None:
    """With a full horizon at each look, success fell from 100 and 97 to 69 %, and from 90 to 68 % with `cem`."""
    problems = draw_problems(source, "test", goal_kind, 50, 25, seed=0)
    runs = {every: run(name, options, problems, replan_every=every) for every in (25, 10, 5)}
    success, distance = (
        {every: np.array([getattr(one, field) for one in each], float) for every, each in runs.items()}
        for field in ("success", "final_distance")
    )
    for every in (10, 5):
        for lost in (success[25] - success[every], distance[every] - distance[25]):
            # Paired on the problems; one problem's worth where the pairs do not differ at all.
            noise = max(2 * lost.std() / len(lost) ** 0.5, 1 / len(lost))
            assert lost.mean() <= noise, (every, lost.mean(), noise)
    assert distance[5].mean() <= distance[25].mean()


def test_execution_refuses_what_does_not_fit(source: MemorySource) -> None:
    problems = draw_problems(source, "test", "uniform", 2, 25, seed=6)
    planner = make_planner("random", {}, RIGHT_MODEL)
    with pytest.raises(ValueError, match="2 copies"):
        execute(planner, make_world("two_room", 3), problems, 10, 5, 5)
    with pytest.raises(ValueError, match=r"multiple of the frameskip \(5\), got 7"):
        execute(planner, make_world("two_room", 2), problems, 10, 7, 5)
    mixed = [problems[0], replace(problems[1], goal_kind="cross_room")]
    with pytest.raises(ValueError, match=r"of one goal kind, got \['cross_room', 'uniform'\]"):
        execute(planner, make_world("two_room", 2), mixed, 10, 5, 5)


def test_a_stricter_test_asks_for_a_goal_that_is_held_and_a_legal_route(
    source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are the world's to declare; the step is that at which the goal has been held for long enough."""
    kinds = (SuccessKind("held", "met", held=3), SuccessKind("legal", "met", legal_route=True))
    monkeypatch.setattr(TwoRoom, "world_spec", replace(TwoRoom.world_spec, success_kinds=kinds))
    monkeypatch.setattr(TwoRoom, "meets", lambda world, goal, kind, success_kind: world.success(goal, kind))
    monkeypatch.setattr(TwoRoom, "legal_moves", staticmethod(lambda before, after: np.zeros(1, dtype=bool)))

    def to_the_right(planner: RandomPlanner, situation: Situation) -> Plan:
        return Plan(np.tile(np.array([[[right, 0.0]]], np.float32), (1, 5, 1)), np.zeros(1))

    monkeypatch.setattr(RandomPlanner, "plan", to_the_right)

    def steps(one: Problem, success_kind: str) -> int | None:
        planner = make_planner("random", {"steps": 5}, RIGHT_MODEL)
        (found,) = execute(planner, make_world("two_room", 1), [one], 10, 5, 5, success_kind)
        assert found.success == (found.steps_to_goal is not None)
        return found.steps_to_goal

    problem, right = draw_problems(source, "test", "uniform", 1, 25, seed=4)[0], 0.0
    at_goal = replace(problem, goal=problem.start)
    assert [steps(at_goal, kind) for kind in ("usual", "held", "legal")] == [0, 2, 0]
    right = 1.0 if problem.start["agent_position"][0] < 0.5 else -1.0
    there = run("random", {"steps": 5}, [problem], budget=5, replan_every=5)[0].path["agent_position"][-1]
    on_the_way = replace(problem, goal={**problem.goal, "agent_position": there})
    usual = steps(on_the_way, "usual")
    assert usual is not None and usual > 0 and steps(on_the_way, "legal") is None
