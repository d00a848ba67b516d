"""The planner `inverse`: reaches goals by its head alone, block by block, and says where it believes to get."""

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import PlanningSetting, make_planner
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.head import Head, HeadSizes
from jepa.planning.heads.inverse import InverseConfig, InverseHead
from jepa.planning.heads.registry import head_config
from tests.jepa.evaluation.standins import CentroidModel, MemorySource
from tests.jepa.planning.heads.straight import straight_episodes
from tests.jepa.planning.setting import run


@pytest.fixture(scope="module")
def setting() -> PlanningSetting:
    """A model that is right where no wall is, and a head that has learned straight walks."""
    model = CentroidModel()
    options = {"width": 64, "depth": 2, "steps": 600, "batch_size": 256, "learning_rate": 3e-3, "longest": 25}
    config = head_config("inverse", options)
    head: Head = fit_head("inverse", config, model, straight_episodes(300), {}, 0)  # type: ignore[arg-type]
    return PlanningSetting(model, "two_room", {}, {"inverse": head})  # type: ignore[arg-type]


@pytest.mark.parametrize("replan_every", [5, 25])
def test_it_reaches_goals_within_a_room_and_imagines_the_way(
    source: MemorySource, setting: PlanningSetting, replan_every: int
) -> None:
    problems = [
        problem
        for problem in draw_problems(source, "test", "uniform", 40, 25, seed=0)
        if (problem.start["agent_position"][0] < 0.4) == (problem.goal["agent_position"][0] < 0.4)
        and abs(problem.start["agent_position"][0] - 0.5) > 0.1
    ]
    runs = run("inverse", {}, problems, setting, replan_every=replan_every)
    assert np.mean([one.success for one in runs]) >= 0.9
    imagined = runs[0].imagined_latent
    assert imagined is not None and imagined.shape == (5, 2)
    if replan_every == 25:
        np.testing.assert_allclose(imagined[-1], runs[0].path["agent_position"][25], atol=0.05)


def test_plans_shrink_with_the_steps_left_and_actions_are_those_of_the_world(
    source: MemorySource, setting: PlanningSetting
) -> None:
    planner = make_planner("inverse", {"horizon": 4}, setting)
    assert planner.plan_steps == 20 and planner.needs_heads(None) == ("inverse",)
    problems = draw_problems(source, "test", "uniform", 3, 25, seed=1)
    runs = run("inverse", {"horizon": 4}, problems, setting, budget=20, replan_every=10)
    assert [len(one.plan_seconds) for one in runs] == [2, 2, 2]
    spec = setting.spec()
    for one in runs:
        moved = np.abs(np.diff(one.path["agent_position"], axis=0)).max()
        assert moved <= np.max(spec.action_high) * 0.03 + 1e-6


def test_without_its_head_or_with_one_of_another_model_it_is_a_sentence(setting: PlanningSetting) -> None:
    model = WorldModel.from_config(ModelConfig(latent_size=3))
    with pytest.raises(InputError, match="head 'inverse' of the model is needed and not there; fit it with"):
        make_planner("inverse", {}, PlanningSetting(model, "two_room", {}))
    other = InverseHead(InverseConfig(), HeadSizes(latent_size=4, frameskip=5, action_size=2))
    with pytest.raises(InputError, match=r"is made for latent_size, .* \(4, 5, 2\) and the model has \(3, 5, 2\)"):
        make_planner("inverse", {}, PlanningSetting(model, "two_room", {}, {"inverse": other}))


def test_a_search_may_start_from_its_plan(source: MemorySource, setting: PlanningSetting) -> None:
    problems = draw_problems(source, "test", "uniform", 3, 25, seed=1)
    still = {"samples": 4, "elites": 4, "iterations": 1, "init_std": 1e-6}
    started = run("cem", still | {"warm_start": "inverse"}, problems, setting, budget=25)
    alone = run("inverse", {}, problems, setting, budget=25)
    for one, other in zip(started, alone, strict=True):
        np.testing.assert_allclose(one.path["agent_position"], other.path["agent_position"], atol=1e-3)
    centre = run("cem", still, problems, setting, budget=25)
    assert np.abs(centre[0].path["agent_position"] - alone[0].path["agent_position"]).max() > 0.05
