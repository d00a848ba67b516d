"""Planning in worlds whose actions are choices: what is imagined is what is carried out, an option and no mixture."""

from contextlib import closing
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import CEMConfig, PlanningSetting, make_planner, minimise
from jepa.planning.planner import Planner, Situation
from jepa.worlds import World, make_world
from jepa.worlds.choices import Choice, carried_out
from tests.jepa.planning.searches import SEARCHES, small
from tests.narrow import present

CARTPOLE = "gymnasium:CartPole-v1"
SEARCH = {"samples": 32, "elites": 4, "iterations": 3, "horizon": 2}
CHOICES = (Choice(0, 18, one_hot=True), Choice(18, 3, one_hot=False), Choice(19, 2, one_hot=True))
"""A game's buttons, a whole number and a switch; one more value after them is no choice."""
SIZE = 22
LOW, HIGH = torch.tensor(-1.0), torch.tensor(1.0)


def of_choices(action: Tensor) -> Tensor:
    done = carried_out(action.flatten(0, -2).numpy(), CHOICES, -1.0, 1.0)
    return torch.from_numpy(done).view_as(action)


def search(cost: Any, **changes: Any) -> tuple[Tensor, list[Tensor]]:
    """Returns a plan of two action blocks of one action, and the candidates of each iteration."""
    config, seen = CEMConfig.model_validate({"samples": 600, "elites": 40, "horizon": 2} | changes), list[Tensor]()

    def watched(action: Tensor) -> Tensor:
        seen.append(action.clone())
        found: Tensor = cost(action)
        return found

    return minimise(watched, [3], (1, SIZE), LOW, HIGH, config, of_choices), seen


def test_the_right_options_are_found_and_nothing_else_is_judged() -> None:
    wanted = torch.zeros(2, 1, SIZE)
    wanted[0, 0, 13], wanted[1, 0, 4] = 1, 1
    wanted[0, 0, 18], wanted[1, 0, 18] = 2 / 3, -2 / 3
    wanted[:, 0, 20], wanted[:, 0, 21] = 1, 0.3
    plan, seen = search(lambda action: (action - wanted).square().sum((2, 3, 4)))
    assert torch.equal(plan[0, ..., :21], wanted[..., :21].float())
    assert (plan[0, ..., 21] - 0.3).abs().max() < 0.05
    for candidates in seen:
        torch.testing.assert_close(of_choices(candidates), candidates, rtol=0, atol=1e-6)
        assert candidates[..., 21].abs().max() <= 1 and len(candidates[..., 21].unique()) > 100


def test_every_option_is_tried_equally_often_at_first() -> None:
    _, (candidates,) = search(lambda action: action[:, :, 0, 0, 0], iterations=1, samples=9000)
    counts = candidates[0, 1:, :, 0, :18].sum((0, 1)).numpy()
    expected = counts.sum() / 18
    # 17 degrees of freedom: once in a million by chance.
    assert ((counts - expected) ** 2 / expected).sum() < 59


@pytest.fixture
def cartpole() -> Any:
    with closing(make_world(CARTPOLE, 2, image_size=32)) as world:
        world.begin([1, 2], [{}, {}])
        yield world


def situation(world: World) -> Situation:
    goal = {name: value.copy() for name, value in world.state().items()}
    goal["observation"] = goal["observation"] + np.float32(0.3)
    pixels = world.render_pixels()
    return Situation(
        pixels_PTHWC=pixels[:, None],
        past_action_PTKA=np.zeros((2, 0, 5, 2), np.float32),
        state=world.state(),
        goal_pixels_PHWC=pixels[::-1].copy(),
        goal_state=goal,
        goal_kind="uniform",
        seeds=[4, 5],
    )


def check_options(action: NDArray[np.float32]) -> None:
    """Passes where each action is one option of CartPole's two."""
    assert set(np.unique(action)) == {0.0, 1.0}
    np.testing.assert_array_equal(action.sum(-1), 1)


def test_a_model_imagines_the_actions_that_cartpole_gets(cartpole: World) -> None:
    model = WorldModel.from_config(ModelConfig(image_size=32, action_size=2, latent_size=8)).eval()
    imagined, rollout = list[NDArray[np.float32]](), model.rollout

    def watched(z_PTD: Tensor, action_BHKA: Tensor, past_action_PTKA: Tensor | None = None) -> Tensor:
        imagined.append(action_BHKA.numpy().copy())
        return rollout(z_PTD, action_BHKA, past_action_PTKA)

    model.rollout = watched  # type: ignore[method-assign]
    planner = make_planner("cem", SEARCH, PlanningSetting(model, CARTPOLE, {}))
    plan = planner.plan(situation(cartpole))
    assert len(imagined) == SEARCH["iterations"] + 1
    for actions in (*imagined, plan.action_PLA):
        check_options(actions)
    # The latents that the plan is said to lead to are those of the very actions that are handed on.
    np.testing.assert_array_equal(imagined[-1].reshape(2, 10, 2), plan.action_PLA)
    np.testing.assert_array_equal(
        cartpole.world_spec.carried_out(plan.action_PLA.reshape(-1, 2)), plan.action_PLA.reshape(-1, 2)
    )


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_plans_options(cartpole: World, name: str) -> None:
    model = WorldModel.from_config(ModelConfig(image_size=32, action_size=2, latent_size=8))
    plan = make_planner(name, small(name), PlanningSetting(model, CARTPOLE, {})).plan(situation(cartpole))
    check_options(plan.action_PLA)


def test_the_oracle_plans_options_and_ends_where_it_says(cartpole: World) -> None:
    setting = PlanningSetting(None, CARTPOLE, {"image_size": 32})  # type: ignore[arg-type]
    planner: Planner
    with closing(make_planner("oracle", {**SEARCH, "candidates_at_once": 32}, setting)) as planner:
        plan = planner.plan(situation(cartpole))
    check_options(plan.action_PLA)
    for action in plan.action_PLA.transpose(1, 0, 2):
        cartpole.advance(np.ascontiguousarray(action))
    np.testing.assert_array_equal(cartpole.state()["observation"], present(plan.state)["observation"][:, -1])


def test_a_world_without_choices_takes_every_value_as_it_is() -> None:
    assert PlanningSetting(None, "two_room", {}).carried_out() is None  # type: ignore[arg-type]
