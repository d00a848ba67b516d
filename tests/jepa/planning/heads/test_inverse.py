"""The head `inverse` finds inverse dynamics that are known."""

from typing import cast

import pytest
import torch

from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.inverse import InverseHead
from jepa.planning.heads.registry import head_config
from jepa.worlds.two_room.world import SPEED
from tests.jepa.planning.heads.straight import straight_episodes

OPTIONS = {"width": 64, "depth": 2, "steps": 600, "batch_size": 256, "learning_rate": 3e-3, "longest": 25}


@pytest.fixture(scope="module")
def head() -> InverseHead:
    model = WorldModel.from_config(ModelConfig(latent_size=2))
    config = head_config("inverse", OPTIONS)
    return cast(InverseHead, fit_head("inverse", config, model, straight_episodes(300), {}, 0))


@torch.inference_mode()
def test_it_finds_the_velocity_that_leads_to_the_goal(head: InverseHead) -> None:
    unseen = straight_episodes(50, seed=1)
    for steps in (5, 15, 25):
        first = unseen.start_E + 2
        answer_PLA = head(unseen.z_ND[first], unseen.z_ND[first + steps], steps)
        assert answer_PLA.shape == (50, 5, 2)
        wanted = (unseen.z_ND[first + steps] - unseen.z_ND[first]) / steps / float(SPEED)
        error = (answer_PLA - wanted[:, None]).square().mean().sqrt()
        assert error < 0.25 * wanted.square().mean().sqrt(), steps


@torch.inference_mode()
def test_more_steps_than_it_has_learned_count_as_those(head: InverseHead) -> None:
    z_P2 = torch.rand(2, 3, 2)
    torch.testing.assert_close(head(z_P2[0], z_P2[1], 400), head(z_P2[0], z_P2[1], 25))
    assert not torch.equal(head(z_P2[0], z_P2[1], 5), head(z_P2[0], z_P2[1], 25))
