"""The planner `oracle`: it arrives, simulates no more at once than allowed, and closes the worlds that it opens."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.core.episodes import State
from jepa.core.errors import InputError
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.planning import Execution, Oracle, OracleConfig, PlanningSetting, Problem
from jepa.planning.planners import oracle as subject
from jepa.worlds import World, make_world
from jepa.worlds.two_room.world import TwoRoom
from tests.jepa.evaluation.standins import MemorySource
from tests.jepa.planning.setting import RIGHT_MODEL, check_alone_and_in_company, run

SMALL = {"samples": 64, "elites": 8, "iterations": 3, "candidates_at_once": 200}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[World]:
    """The worlds that oracles make in a test."""
    worlds: list[World] = []

    def watched(name: str, copies: int, **options: object) -> World:
        worlds.append(make_world(name, copies, **options))
        return worlds[-1]

    monkeypatch.setattr(subject, "make_world", watched)
    return worlds


@pytest.fixture(scope="module")
def problems(source: MemorySource) -> list[Problem]:
    return draw_problems(source, "test", "uniform", 5, 25, seed=2)


def test_it_crosses_rooms(source: MemorySource) -> None:
    problems = draw_problems(source, "test", "cross_room", 30, 25, seed=0)
    assert len(problems) >= 20
    sizes = {"samples": 200, "elites": 20, "iterations": 8, "candidates_at_once": 4000}
    assert np.mean([one.success for one in run("oracle", sizes, problems)]) >= 0.9


def test_a_problem_is_solved_the_same_alone_and_in_company(problems: list[Problem]) -> None:
    check_alone_and_in_company("oracle", SMALL, problems)


@pytest.mark.parametrize("at_once", [1, 10, 50])
def test_fewer_candidates_at_once_than_samples_bound_the_copies_and_change_no_bit(
    problems: list[Problem], made: list[World], at_once: int
) -> None:
    wanted = run("oracle", SMALL, problems[:2])
    assert max(world.num_envs for world in made) == 128
    made.clear()
    bounded = run("oracle", SMALL | {"candidates_at_once": at_once}, problems[:2])
    assert max(world.num_envs for world in made) == at_once
    for one, other in zip(wanted, bounded, strict=True):
        np.testing.assert_array_equal(one.path["agent_position"], other.path["agent_position"])


def test_its_worlds_are_closed_with_it(problems: list[Problem], made: list[World]) -> None:
    run("oracle", SMALL, problems, budget=25)
    assert made and all(world.closed for world in made)


def test_the_cost_is_that_of_the_goal_kind(monkeypatch: pytest.MonkeyPatch, source: MemorySource) -> None:
    seen = set()
    distance = make_world("two_room", 1).__class__.distance

    def watched(world: World, goal: object, kind: str) -> object:
        seen.add(kind)
        return distance(world, goal, kind)  # type: ignore[arg-type]

    monkeypatch.setattr(make_world("two_room", 1).__class__, "distance", watched)
    run("oracle", SMALL, draw_problems(source, "test", "cross_room", 2, 25, seed=0), budget=5, replan_every=5)
    assert seen == {"cross_room"}


def test_a_plan_is_as_long_as_its_action_blocks_whatever_the_model_s() -> None:
    planner = Oracle(OracleConfig(horizon=3, frameskip=4), RIGHT_MODEL)
    assert isinstance(RIGHT_MODEL, PlanningSetting) and planner.plan_steps == 12


def test_the_options_old_names_are_understood() -> None:
    assert OracleConfig.model_validate({"chunk": 40, "block_actions": 4}) == OracleConfig(
        candidates_at_once=40, frameskip=4
    )


POOR = {"samples": 8, "elites": 4, "iterations": 1, "init_std": 1.0}
"""A search that finds nothing by itself."""


def test_from_the_demonstration_it_never_costs_more_and_by_default_it_does_not_look_at_it(
    source: MemorySource,
) -> None:
    problems = draw_problems(source, "test", "cross_room", 12, 25, seed=3)
    alone = run("oracle", POOR, problems, budget=25)
    without = run("oracle", POOR, [replace(one, demonstration_LA=None) for one in problems], budget=25)
    for one, other in zip(alone, without, strict=True):
        np.testing.assert_array_equal(one.path["agent_position"], other.path["agent_position"])
    near = run("oracle", POOR | {"from_demonstration": True}, problems, budget=25)
    shown = run("demonstration", {}, problems, budget=25)
    assert np.mean([one.success for one in alone]) < 0.5
    assert all(one.success for one in near)
    for one, recorded in zip(near, shown, strict=True):
        costs = [_cost(each, recorded.path["agent_position"][-1]) for each in (one, recorded)]
        assert costs[0] <= costs[1] + 1e-5


def test_around_the_demonstration_it_finds_better_ways(source: MemorySource) -> None:
    problems = draw_problems(source, "test", "cross_room", 6, 25, seed=3)
    early = {"samples": 100, "elites": 10, "iterations": 6, "path_weight": 1.0, "from_demonstration": True}
    near = run("oracle", early | {"init_std": 0.5}, problems, budget=25)
    shown = run("demonstration", {}, problems, budget=25)
    better = [
        _cost(one, problem.goal["agent_position"], 1.0) < _cost(recorded, problem.goal["agent_position"], 1.0) - 0.005
        for one, recorded, problem in zip(near, shown, problems, strict=True)
    ]
    assert sum(better) >= 3


def test_by_the_shortest_way_it_comes_round_a_wall_that_straight_distances_lead_to(
    problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The goal is 9 steps away through the wall and 38 by the door, farther than a plan of 25 steps gets."""

    def at(state: State, x: float) -> State:
        moved = {"agent_position": np.array([x, 0.2], np.float32), "door": np.array([0.75], np.float32)}
        return {**state, **moved}

    behind = [replace(one, start=at(one.start, 0.36), goal=at(one.goal, 0.64)) for one in problems[:3]]
    sizes = {"samples": 100, "elites": 10, "iterations": 8}
    straight, round_it = (run("oracle", sizes | {"geodesic": way}, behind) for way in (False, True))
    assert not any(one.success for one in straight) and all(one.success for one in round_it)
    monkeypatch.setattr(TwoRoom, "geodesic", classmethod(lambda cls, start, goal: None))
    for one, other in zip(run("oracle", sizes | {"geodesic": True}, behind), straight, strict=True):
        np.testing.assert_array_equal(one.path["agent_position"], other.path["agent_position"])


def test_from_the_demonstration_it_needs_one(problems: list[Problem]) -> None:
    with pytest.raises(InputError, match="'oracle' needs the actions that were recorded"):
        run("oracle", POOR | {"from_demonstration": True}, [replace(problems[0], demonstration_LA=None)])


def _cost(one: Execution, goal: NDArray[np.float32], path_weight: float = 0.1) -> float:
    distance = np.linalg.norm(one.path["agent_position"][1:] - goal, axis=1)
    return float(distance[-1] + path_weight * distance.mean())
