"""Planners in the true Two-Room: the oracle arrives, chance does not, a right model does in open space."""

from dataclasses import replace

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation.planning.problems import draw_problems
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import PLANNERS, LatentCEMConfig, OracleConfig, PlanningSetting, RandomConfig, execute, make_planner
from jepa.worlds import make_world
from tests.jepa.evaluation.standins import CentroidModel, MemorySource

ORACLE = OracleConfig(samples=200, elites=20, iterations=8, chunk=4000)


@pytest.fixture(scope="module")
def source() -> MemorySource:
    return MemorySource({"test": 60})


@pytest.fixture(scope="module")
def setting() -> PlanningSetting:
    return PlanningSetting(CentroidModel(), "two_room", {})  # type: ignore[arg-type]


def run(name, config, setting, problems, budget=50, replan_every=25):
    world = make_world("two_room", len(problems))
    return execute(make_planner(name, config, setting), world, problems, budget, replan_every, block=5)


def test_oracle_crosses_rooms_and_chance_does_not(source: MemorySource, setting: PlanningSetting) -> None:
    problems = draw_problems(source, "test", "cross_room", 30, 25, seed=0)
    assert len(problems) >= 20
    assert np.mean([one.success for one in run("oracle", ORACLE, setting, problems)]) >= 0.9
    assert np.mean([one.success for one in run("random", RandomConfig(), setting, problems)]) <= 0.2


def test_a_right_model_plans_as_the_oracle_within_a_room(source: MemorySource, setting: PlanningSetting) -> None:
    problems = [
        problem
        for problem in draw_problems(source, "test", "uniform", 40, 25, seed=0)
        if (problem.start["agent_position"][0] < 0.4) == (problem.goal["agent_position"][0] < 0.4)
        and abs(problem.start["agent_position"][0] - 0.5) > 0.1
    ]
    runs = run("cem", LatentCEMConfig(), setting, problems)
    assert np.mean([one.success for one in runs]) >= 0.9
    imagined, path = runs[0].imagined_latent, runs[0].path["agent_position"]
    assert imagined is not None
    np.testing.assert_allclose(imagined[-1], path[25], atol=0.03)


def test_paths_are_walked_in_the_true_world(source: MemorySource, setting: PlanningSetting) -> None:
    problems = draw_problems(source, "test", "uniform", 5, 25, seed=1)
    runs = run("oracle", replace_iterations(3), setting, problems, budget=10, replan_every=5)
    world = make_world("two_room", 1)
    for problem, one in zip(problems, runs, strict=True):
        path = one.path["agent_position"]
        assert path.shape == (11, 2) and len(one.plan_seconds) == 2
        np.testing.assert_array_equal(path[0], problem.start["agent_position"])
        goal_distance = np.linalg.norm(path - problem.goal["agent_position"], axis=1)
        assert one.final_distance == pytest.approx(goal_distance[-1], abs=1e-6)
        assert one.success == bool((goal_distance < 0.08).any())
        world.restore({name: value[None] for name, value in problem.start.items()})
        np.testing.assert_allclose(one.imagined_state["agent_position"][:6], path[:6], atol=1e-6)


def replace_iterations(iterations: int) -> OracleConfig:
    return ORACLE.model_copy(update={"iterations": iterations})


@pytest.mark.parametrize("name", ["cem", "oracle", "random"])
def test_a_problem_is_solved_the_same_alone_and_in_company(source: MemorySource, name: str) -> None:
    setting = PlanningSetting(WorldModel.from_config(ModelConfig()), "two_room", {})
    small = LatentCEMConfig(samples=64, elites=8, iterations=3, chunk=64)
    configs = {
        "cem": small,
        "oracle": OracleConfig(samples=64, elites=8, iterations=3, chunk=200),
        "random": RandomConfig(),
    }
    problems = draw_problems(source, "test", "uniform", 5, 25, seed=2)
    together = run(name, configs[name], setting, problems)
    for problem, company in zip(problems, together, strict=True):
        (alone,) = run(name, configs[name], setting, [problem])
        np.testing.assert_array_equal(alone.path["agent_position"], company.path["agent_position"])


def test_a_model_with_a_history_is_given_its_past(source: MemorySource) -> None:
    model = WorldModel.from_config(ModelConfig(history=3))
    setting = PlanningSetting(model, "two_room", {})
    problems = draw_problems(source, "test", "uniform", 2, 25, seed=3)
    planner = make_planner("cem", LatentCEMConfig(samples=16, elites=4, iterations=1, chunk=16), setting)
    seen = []
    plan = planner.plan
    planner.plan = lambda situation: (seen.append(situation), plan(situation))[1]  # type: ignore[method-assign]
    world = make_world("two_room", 2)
    runs = execute(planner, world, problems, 30, 15, block=5)
    assert seen[0].pixels_PTHWC.shape[1] == 1 and seen[0].past_action_PTKA.shape == (2, 0, 5, 2)
    assert seen[1].pixels_PTHWC.shape[1] == 3 and seen[1].past_action_PTKA.shape == (2, 2, 5, 2)
    for offset, frame in zip((5, 10, 15), seen[1].pixels_PTHWC[0], strict=True):
        state = {name: value[offset][None] for name, value in runs[0].path.items()}
        one = make_world("two_room", 1)
        one.restore(state)
        np.testing.assert_array_equal(frame, one.render_pixels()[0])
    # The recorded actions are those that led from one context frame to the next.
    one.restore({name: value[5][None] for name, value in runs[0].path.items()})
    for action in seen[1].past_action_PTKA[0].reshape(-1, 2):
        one.advance(action[None])
    np.testing.assert_allclose(one.state()["agent_position"][0], runs[0].path["agent_position"][15], atol=1e-6)


def test_a_goal_met_on_the_way_counts(source: MemorySource, setting: PlanningSetting) -> None:
    problem = draw_problems(source, "test", "uniform", 1, 25, seed=4)[0]
    (one,) = run("random", RandomConfig(), setting, [replace(problem, goal=problem.start)], budget=50)
    assert one.success


def test_random_plans_fill_the_action_space_and_follow_their_seed(
    source: MemorySource, setting: PlanningSetting
) -> None:
    problems = draw_problems(source, "test", "uniform", 10, 25, seed=5)
    first, again = (run("random", RandomConfig(), setting, problems) for _ in range(2))
    np.testing.assert_array_equal(first[0].path["agent_position"], again[0].path["agent_position"])
    assert len({one.final_distance for one in first}) == 10


def test_execution_refuses_what_does_not_fit(source: MemorySource, setting: PlanningSetting) -> None:
    problems = draw_problems(source, "test", "uniform", 2, 25, seed=6)
    planner = make_planner("random", RandomConfig(), setting)
    with pytest.raises(ValueError, match="2 copies"):
        execute(planner, make_world("two_room", 3), problems, 10, 5, 5)
    with pytest.raises(ValueError, match="multiple of the block"):
        execute(planner, make_world("two_room", 2), problems, 10, 7, 5)


def test_unknown_planner_is_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="cem, oracle, random"):
        PLANNERS.get("magic")
