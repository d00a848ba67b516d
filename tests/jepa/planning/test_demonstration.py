"""The planner `demonstration`: it arrives exactly where the recording did, however often it looks, and then idles."""

from dataclasses import replace

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.planning import Problem, make_planner
from tests.jepa.evaluation.standins import MemorySource
from tests.jepa.planning.setting import RIGHT_MODEL, check_alone_and_in_company, run
from tests.jepa.planning.test_random import situation
from tests.narrow import present


@pytest.fixture(scope="module")
def problems(source: MemorySource) -> list[Problem]:
    return draw_problems(source, "test", "cross_room", 8, 25, seed=2)


@pytest.mark.parametrize("replan_every", [25, 5])
def test_it_takes_the_recorded_way_and_stays_at_its_end(problems: list[Problem], replan_every: int) -> None:
    for problem, one in zip(problems, run("demonstration", {}, problems, replan_every=replan_every), strict=True):
        path, goal = one.path["agent_position"], problem.goal["agent_position"]
        assert present(problem.demonstration_LA).shape == (25, 2)
        np.testing.assert_array_equal(path[0], problem.start["agent_position"])
        np.testing.assert_array_equal(path[25:], np.broadcast_to(goal, (26, 2)))
        assert one.success and one.final_distance == 0 and len(one.plan_seconds) == 50 // replan_every


def test_recordings_of_several_lengths_go_side_by_side(problems: list[Problem], source: MemorySource) -> None:
    mixed = [problems[0], *draw_problems(source, "test", "cross_room", 1, 20, seed=2)]
    runs = run("demonstration", {}, mixed)
    assert [one.final_distance for one in runs] == [0, 0]
    np.testing.assert_array_equal(runs[1].path["agent_position"][20], mixed[1].goal["agent_position"])


def test_a_problem_is_solved_the_same_alone_and_in_company(problems: list[Problem]) -> None:
    check_alone_and_in_company("demonstration", {}, problems[:3])


def test_problems_without_a_recording_are_refused(problems: list[Problem]) -> None:
    with pytest.raises(InputError, match="'demonstration' needs the actions that were recorded"):
        make_planner("demonstration", {}, RIGHT_MODEL).plan(situation([1]))
    with pytest.raises(InputError, match="'demonstration' needs the actions that were recorded"):
        run("demonstration", {}, [problems[0], replace(problems[1], demonstration_LA=None)])
