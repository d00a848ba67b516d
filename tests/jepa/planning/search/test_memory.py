"""Bytes that are held at once: counted as they come and go, and equal to what a planner's rollouts really take."""

import pytest
import torch

from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import PlanningSetting, make_planner
from jepa.planning.search.latent import LatentSearch
from jepa.planning.search.memory import peak_bytes
from tests.jepa.planning.searches import small


def test_what_is_let_go_counts_no_more_and_what_is_given_not_at_all() -> None:
    given = torch.ones(1000)

    def work() -> None:
        first = given + 1
        second = first * 2
        del first
        third = second + given.view(10, 100).flatten()
        del second, third

    assert peak_bytes(work) == 2 * 4000
    assert peak_bytes(lambda: given.view(10, 100).t()) == 0


@pytest.mark.parametrize("name", ["cem", "gradient"])
def test_the_rollouts_of_as_many_as_fit_take_what_was_allowed(name: str) -> None:
    model = WorldModel.from_config(ModelConfig(history=2))
    planner = make_planner(name, small(name, memory_mb=20), PlanningSetting(model, "two_room", {}))
    assert isinstance(planner, LatentSearch)
    at_once = planner.candidates_at_once()
    z_BTD, past = torch.zeros(at_once, 2, 32), torch.zeros(at_once, 1, 5, 2)
    with torch.set_grad_enabled(name == "gradient"):
        taken = peak_bytes(lambda: model.rollout(z_BTD, torch.zeros(at_once, 3, 5, 2, requires_grad=True), past))
    assert 0.7 * 20e6 < taken <= 20e6


def test_following_gradients_takes_more() -> None:
    setting = PlanningSetting(WorldModel.from_config(ModelConfig()), "two_room", {})
    cem, gradient = (make_planner(name, small(name), setting) for name in ("cem", "gradient"))
    assert isinstance(cem, LatentSearch) and isinstance(gradient, LatentSearch)
    assert gradient.bytes_a_candidate > 2 * cem.bytes_a_candidate
