"""What every planner that searches in latents promises, each tried with all of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from jepa.core.errors import InputError
from jepa.planning import Plan, make_planner
from jepa.planning.planner import Situation
from tests.jepa.planning.linear_quadratic import LinearModel, cost_of, setting, situation
from tests.jepa.planning.searches import SEARCHES, small


def plan(name: str, seen: Situation, model: Any = None, **options: Any) -> Plan:
    return make_planner(name, small(name, **options), setting(model or LinearModel())).plan(seen)


def looking_again(name: str, problems: int) -> Situation:
    """Returns a situation in which the first action block of an earlier plan was carried out."""
    before = plan(name, situation(problems, steps_left=6))
    return situation(problems, seed=3, steps_left=4, previous_plan=before.rest(2))


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("look", ["first", "second"])
def test_a_problem_s_plan_is_the_same_alone_and_beside_others(name: str, look: str) -> None:
    seen = situation(4) if look == "first" else looking_again(name, 4)
    # With no more candidates at once than a problem has, not one bit differs; with more, rounding alone.
    sizes = {"candidates_at_once": make_planner(name, small(name), setting(LinearModel())).config.candidates}  # type: ignore[attr-defined]
    together = plan(name, seen, **sizes)
    crowded = plan(name, seen, candidates_at_once=10_000)
    for index in range(4):
        alone = plan(name, seen.part(slice(index, index + 1)), **sizes)
        np.testing.assert_array_equal(alone.action_PLA[0], together.action_PLA[index])
        np.testing.assert_array_equal(alone.latent_PHD[0], together.latent_PHD[index])  # type: ignore[index]
        np.testing.assert_allclose(crowded.action_PLA[index], together.action_PLA[index], atol=1e-3)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_seed_decides_the_plan(name: str) -> None:
    one, again, other = (plan(name, situation(6, seeds=range(seed, seed + 6))).action_PLA for seed in (1, 1, 20))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-4


@pytest.mark.parametrize("name", SEARCHES)
def test_actions_keep_to_their_bounds(name: str) -> None:
    seen = situation(3, reach=30.0)
    chosen = plan(name, seen, history="one").action_PLA
    assert np.abs(chosen).max() <= 1 and np.abs(chosen).max() > 0.3
    assert (cost_of(LinearModel(), seen, chosen, 0) < cost_of(LinearModel(), seen, 0 * chosen, 0)).all()


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(("steps_left", "steps"), [(None, 6), (50, 6), (6, 6), (4, 4), (3, 4), (1, 2)])
def test_a_plan_is_no_longer_than_the_steps_left(name: str, steps_left: int | None, steps: int) -> None:
    found = plan(name, situation(2, steps_left=steps_left))
    assert found.action_PLA.shape == (2, steps, 2)
    assert found.latent_PHD is not None and found.latent_PHD.shape == (2, steps // 2, 3)


@pytest.mark.parametrize("name", SEARCHES)
def test_the_latents_are_those_that_the_plan_leads_to(name: str) -> None:
    seen, model = situation(2), LinearModel()
    found = plan(name, seen, model)
    actions = torch.from_numpy(found.action_PLA).unflatten(1, (3, 2))
    imagined = model.rollout(torch.from_numpy(seen.pixels_PTHWC), actions).detach()
    np.testing.assert_allclose(found.latent_PHD, imagined, atol=1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(("history", "frames"), [("real", 3), ("one", 1)])
def test_the_model_sees_its_history_or_one_frame(name: str, history: str, frames: int) -> None:
    model = LinearModel(history=3)
    planner = make_planner(name, small(name, history=history), setting(model))
    planner.plan(situation(1, frames=3))
    assert planner.history == frames and set(model.contexts) == {frames}


@pytest.mark.parametrize("name", SEARCHES)
def test_what_the_last_look_left_over_is_a_start_unless_it_is_left_out(name: str) -> None:
    """One iteration from the optimum loses next to nothing of it, and from the centre it loses more."""
    least: dict[str, Any] = {"steps": 0} if name == "gradient" else {"iterations": 1, "init_std": 0.01}
    least = {"samples": 4} if name == "shooting" else least
    first = situation(1, steps_left=6)
    optimum = plan("gradient", first, steps=100)
    left = optimum.rest(2)
    seen = situation(1, steps_left=4, previous_plan=left)
    present: Any = optimum.latent_PHD
    seen = replace(seen, pixels_PTHWC=present[:, :1], goal_pixels_PHWC=first.goal_pixels_PHWC)
    if name == "gradient":
        least = {"steps": 1, "learning_rate": 1e-6}
    kept, left_out, none = (
        plan(name, one, **least, keep_plan=keep)
        for one, keep in ((seen, True), (seen, False), (replace(seen, previous_plan=None), True))
    )
    cost = [float(cost_of(LinearModel(), seen, one.action_PLA, 0)[0]) for one in (kept, left_out)]
    assert cost[0] < 0.02 * cost[1]
    np.testing.assert_array_equal(left_out.action_PLA, none.action_PLA)


class HalfBlind(LinearModel):
    """Knows nothing of what happens where the first action is negative."""

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        z_BHD = super().rollout(z_BTD, action_BHKA, past_action_BTKA)
        return torch.where((action_BHKA[:, 0, 0, 0] < 0)[:, None, None], torch.nan, z_BHD)


class Blind(LinearModel):
    """Knows nothing of what happens."""

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        return torch.nan * super().rollout(z_BTD, action_BHKA, past_action_BTKA)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_future_that_is_not_a_number_costs_most(name: str) -> None:
    found = plan(name, situation(3), HalfBlind())
    assert (found.action_PLA[:, 0, 0] >= 0).all() and np.isfinite(found.latent_PHD).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SEARCHES)
def test_a_model_without_a_finite_latent_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(
        InputError, match=r"the latents that the model imagines of its plan are not finite, so .*choose"
    ):
        plan(name, situation(2), Blind())
    damaged = situation(2)
    damaged.goal_pixels_PHWC[1, 0] = np.nan
    with pytest.raises(InputError, match=r"the latents that the model makes of the goal's frame are not finite"):
        plan(name, damaged)


@pytest.mark.parametrize("name", SEARCHES)
def test_as_many_candidates_are_rolled_out_at_once_as_fit_the_memory(name: str) -> None:
    model = LinearModel()
    planner: Any = make_planner(name, small(name, memory_mb=1000), setting(model))
    planner.bytes_a_candidate  # noqa: B018 - measured before what is counted
    model.batches.clear()
    whole = planner.plan(situation(4))
    assert max(model.batches) == 4 * planner.config.candidates
    tight: Any = make_planner(name, small(name, memory_mb=1), setting(model))
    tight.__dict__["bytes_a_candidate"] = 300_000
    model.batches.clear()
    np.testing.assert_allclose(tight.plan(situation(4)).action_PLA, whole.action_PLA, atol=1e-3)
    assert max(model.batches) == 3
    tight.__dict__["bytes_a_candidate"] = 1_200_000
    with pytest.raises(
        InputError, match=r"memory_mb 1 holds no candidate, whose rollout takes 1\.2 MB; raise it, or lower"
    ):
        tight.plan(situation(4))
