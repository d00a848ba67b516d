"""The head `temporal`: the fewest steps where they are known, also between places that no episode joins."""

from typing import Any, cast

import pytest
import torch
from torch import Tensor

from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.registry import head_config
from jepa.planning.heads.temporal import TemporalHead
from tests.jepa.planning.heads.open_square import STEP, SquareModel, joined, least_steps, walks

MODEL: Any = SquareModel()
OPTIONS = {"width": 32, "depth": 2, "steps": 400, "batch_size": 128, "learning_rate": 3e-3, "longest": 40}


def fit(data: LatentEpisodes, **options: Any) -> TemporalHead:
    return cast(TemporalHead, fit_head("temporal", head_config("temporal", OPTIONS | options), MODEL, data, {}, 0))


@torch.inference_mode()
def test_it_is_about_the_fewest_steps_in_the_open() -> None:
    head = in_the_open()
    start, goal = torch.rand(2, 1000, 2, generator=torch.Generator().manual_seed(1))
    found, truth = head(start, goal), least_steps(start, goal)
    assert float(torch.corrcoef(torch.stack([found, truth]))[0, 1]) > 0.98
    assert 0.85 < float((found / truth.clamp_min(1)).median()) < 1.2
    torch.testing.assert_close(head(start, start), torch.zeros(1000), atol=0.01, rtol=0)


def in_the_open() -> TemporalHead:
    with torch.inference_mode(False), torch.enable_grad():
        return fit(walks(300))


@torch.inference_mode()
def test_ways_of_several_episodes_are_joined() -> None:
    """Half of the episodes stay on the left of .6, half on the right of .4, and none crosses from end to end."""
    start = torch.tensor([[0.1, 0.5]]) + 0.05 * torch.rand(50, 2, generator=torch.Generator().manual_seed(1))
    goal = start + torch.tensor([[0.8, 0.0]])
    truth = 0.8 / STEP
    with torch.inference_mode(False), torch.enable_grad():
        data = joined(squeezed(0.0, seed=1), squeezed(0.4, seed=2))
        joining, alone = fit(data, steps=700), fit(data, steps=300, joined_weight=0.0, invented_weight=0.0)
    assert float(joining(start, goal).mean()) == pytest.approx(truth, rel=0.3)
    assert abs(float(alone(start, goal).mean()) - truth) > 2 * abs(float(joining(start, goal).mean()) - truth)


def squeezed(left: float, seed: int) -> LatentEpisodes:
    """Returns walks whose x lies in a band of .6."""
    data = walks(200, steps=40, seed=seed, low=0.0, high=0.6)
    place = data.z_ND + torch.tensor([left, 0.2])
    return LatentEpisodes(place, data.action_NA, {"agent_position": place}, data.start_E, data.steps_E)


class Slippery(SquareModel):
    """Imagines that actions along y, which nobody recorded, lead far away from where anybody has been."""

    def rollout(self, z_BT2: Tensor, action_BHK2: Tensor, past_action_BTK2: Tensor | None = None) -> Tensor:
        slip_BH = 3.0 * action_BHK2[..., 1].mean(2).cumsum(1)
        return super().rollout(z_BT2, action_BHK2) + torch.stack([slip_BH, slip_BH], dim=-1)


@torch.inference_mode()
def test_what_is_imagined_of_invented_actions_is_no_way_round() -> None:
    """Walks lie on a line. What actions off it lead to is no nearer to a goal than the steps that they take allow."""
    data, model = on_a_line(), cast(Any, Slippery())
    generator = torch.Generator().manual_seed(1)
    start, goal = data.z_ND[torch.randint(len(data.z_ND), (2, 500), generator=generator)]
    action = 2 * torch.rand(500, 1, 5, 2, generator=generator) - 1
    end = model.rollout(start[:, None], action + torch.tensor([0.0, 0.5]))[:, -1]
    gained = []
    for weight in (0.0, 0.5):
        with torch.inference_mode(False), torch.enable_grad():
            config = head_config("temporal", OPTIONS | {"invented_weight": weight})
            head = cast(TemporalHead, fit_head("temporal", config, model, data, {}, 0))
        gained.append(float((head(start, goal) - 5 - head(end, goal)).clamp_min(0).mean()))
    assert gained[1] < 1 and gained[1] < 0.3 * gained[0], gained


def on_a_line() -> LatentEpisodes:
    """Returns walks along x; one action says that y has a range."""
    data = walks(200, seed=1)
    place = data.z_ND * torch.tensor([1.0, 0.0])
    action = data.action_NA * torch.tensor([1.0, 0.0])
    action[0, 1], action[1, 1] = 1.0, -1.0
    return LatentEpisodes(place, action, {"agent_position": place}, data.start_E, data.steps_E)


def test_the_copy_is_no_part_of_the_weights_that_are_kept() -> None:
    head = fit(walks(20), steps=2)
    assert {name.split(".")[0] for name in head.state_dict()} == {"z_mean", "z_std", "network"}


def test_a_batch_holds_imagined_latents_in_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    rolled: list[int] = []
    model: Any = SquareModel()
    real = model.rollout

    def watched(z_BTD: Tensor, action_BHKA: Tensor) -> Tensor:
        rolled.append(len(z_BTD))
        return cast(Tensor, real(z_BTD, action_BHKA))

    monkeypatch.setattr(model, "rollout", watched)
    # Logged ways, joined ways, and the invented ones, which are half as many and whose share is their own.
    for share, wanted in ((0.25, [32, 32, 64]), (1.0, [128, 128, 64]), (0.0, [64])):
        rolled.clear()
        config = head_config("temporal", OPTIONS | {"steps": 1, "imagined": share})
        fit_head("temporal", config, model, walks(20), {}, 0)
        assert rolled == wanted
