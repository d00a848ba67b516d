"""The planner `random`: uniform actions, each problem's from its own seed."""

import numpy as np

from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.planning import Situation, make_planner
from tests.jepa.evaluation.standins import MemorySource
from tests.jepa.planning.setting import RIGHT_MODEL, check_alone_and_in_company, run


def situation(seeds: list[int]) -> Situation:
    nothing, count = np.zeros((len(seeds), 0, 0, 3), dtype=np.uint8), len(seeds)
    past = np.zeros((count, 0, 5, 2), dtype=np.float32)
    return Situation(nothing[:, None], past, {}, nothing, {}, "uniform", seeds)


def test_plans_fill_the_action_space() -> None:
    planner = make_planner("random", {"steps": 400}, RIGHT_MODEL)
    plan = planner.plan(situation([1, 2]))
    assert plan.action_PLA.shape == (2, planner.plan_steps, 2) == (2, 400, 2) and plan.action_PLA.dtype == np.float32
    assert -1 <= plan.action_PLA.min() < -0.98 and 0.98 < plan.action_PLA.max() <= 1
    assert abs(plan.action_PLA.mean()) < 0.05 and plan.latent_PHD is None and plan.state is None


def test_a_plan_follows_its_seed_and_a_longer_one_begins_alike(source: MemorySource) -> None:
    short, long = (make_planner("random", {"steps": steps}, RIGHT_MODEL) for steps in (10, 30))
    first, again = short.plan(situation([7, 8])).action_PLA, short.plan(situation([8, 7])).action_PLA
    np.testing.assert_array_equal(first, again[::-1])
    np.testing.assert_array_equal(first, long.plan(situation([7, 8])).action_PLA[:, :10])
    problems = draw_problems(source, "test", "uniform", 10, 25, seed=5)
    assert len({one.final_distance for one in run("random", {}, problems)}) == 10


def test_a_problem_is_solved_the_same_alone_and_in_company(source: MemorySource) -> None:
    check_alone_and_in_company("random", {}, draw_problems(source, "test", "uniform", 5, 25, seed=2))


def test_chance_does_not_cross_rooms(source: MemorySource) -> None:
    problems = draw_problems(source, "test", "cross_room", 30, 25, seed=0)
    assert np.mean([one.success for one in run("random", {}, problems)]) <= 0.2
