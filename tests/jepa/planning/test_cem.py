"""The planner `cem`: a right model plans as well as the true world, a history is used, memory is bounded."""

import numpy as np
import torch
from torch import Tensor

from jepa.core.config import parse_options
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import LatentCEMConfig, PlanningSetting, execute, make_planner
from jepa.planning.costs.cost import make_cost
from jepa.planning.planner import Plan, Situation
from jepa.planning.search.imagination import Imagination
from jepa.worlds import make_world
from tests.jepa.evaluation.standins import MemorySource
from tests.jepa.planning.setting import RIGHT_MODEL, UNTRAINED, check_alone_and_in_company, run

SMALL = {"samples": 64, "elites": 8, "iterations": 3, "candidates_at_once": 64}


def test_a_right_model_plans_as_the_oracle_within_a_room(source: MemorySource) -> None:
    problems = [
        problem
        for problem in draw_problems(source, "test", "uniform", 40, 25, seed=0)
        if (problem.start["agent_position"][0] < 0.4) == (problem.goal["agent_position"][0] < 0.4)
        and abs(problem.start["agent_position"][0] - 0.5) > 0.1
    ]
    runs = run("cem", {}, problems)
    assert np.mean([one.success for one in runs]) >= 0.9
    imagined, path = runs[0].imagined_latent, runs[0].path["agent_position"]
    assert imagined is not None
    np.testing.assert_allclose(imagined[-1], path[25], atol=0.03)


def test_a_problem_is_solved_the_same_alone_and_in_company(source: MemorySource) -> None:
    check_alone_and_in_company("cem", SMALL, draw_problems(source, "test", "uniform", 5, 25, seed=2))


def test_a_model_with_a_history_is_given_its_past(source: MemorySource) -> None:
    model = WorldModel.from_config(ModelConfig(history=3))
    setting = PlanningSetting(model, "two_room", {})
    problems = draw_problems(source, "test", "uniform", 2, 25, seed=3)
    planner = make_planner("cem", {**SMALL, "samples": 16, "iterations": 1}, setting)
    seen: list[Situation] = []
    plan = planner.plan

    def watched(situation: Situation) -> Plan:
        seen.append(situation)
        return plan(situation)

    planner.plan = watched  # type: ignore[method-assign]
    world = make_world("two_room", 2)
    runs = execute(planner, world, problems, 30, 15, frameskip=5)
    assert seen[0].pixels_PTHWC.shape[1] == 1 and seen[0].past_action_PTKA.shape == (2, 0, 5, 2)
    assert seen[1].pixels_PTHWC.shape[1] == 3 and seen[1].past_action_PTKA.shape == (2, 2, 5, 2)
    one = make_world("two_room", 1)
    for offset, frame in zip((5, 10, 15), seen[1].pixels_PTHWC[0], strict=True):
        one.restore({name: value[offset][None] for name, value in runs[0].path.items()})
        np.testing.assert_array_equal(frame, one.render_pixels()[0])
    # The recorded actions are those that led from one context frame to the next.
    one.restore({name: value[5][None] for name, value in runs[0].path.items()})
    for action in seen[1].past_action_PTKA[0].reshape(-1, 2):
        one.advance(action[None])
    np.testing.assert_allclose(one.state()["agent_position"][0], runs[0].path["agent_position"][15], atol=1e-6)


def test_no_more_candidates_are_rolled_out_at_once_than_allowed() -> None:
    model, seen = WorldModel.from_config(ModelConfig(latent_size=4)), list[int]()
    rollout = model.rollout

    def watched(z_PTD: Tensor, action_BHKA: Tensor, past_action_PTKA: Tensor | None = None) -> Tensor:
        seen.append(len(action_BHKA))
        return rollout(z_PTD, action_BHKA, past_action_PTKA)

    model.rollout = watched  # type: ignore[method-assign]
    actions = torch.rand(2, 30, 3, 5, 2)
    z_PTD, past, goal = torch.rand(2, 1, 4), torch.zeros(2, 0, 5, 2), torch.rand(2, 4)
    cost = make_cost({}, UNTRAINED)
    bounded = Imagination(model, cost, z_PTD, past, goal, None, 16).cost(actions)
    assert max(seen) == 16 and sum(seen) == 60
    torch.testing.assert_close(bounded, Imagination(model, cost, z_PTD, past, goal, None, 1000).cost(actions))


def test_a_plan_is_as_long_as_its_action_blocks() -> None:
    assert make_planner("cem", {"horizon": 3}, RIGHT_MODEL).plan_steps == 15


def test_the_option_s_old_name_is_understood() -> None:
    config = parse_options(LatentCEMConfig, {"chunk": 40}, "planning.planners.cem")
    assert config == LatentCEMConfig(candidates_at_once=40)
