"""Figures of the latents' health: closed forms, and what a collapse looks like in them."""

import pytest
import torch

from jepa.objectives.terms.diagnostics import SKETCH, latent_diagnostics
from jepa.objectives.terms.sigreg import SIGReg
from tests.jepa.models.test_world_model import draws


def test_diagnostics_have_their_closed_forms() -> None:
    steps = torch.arange(5.0)[None, :, None]
    straight = latent_diagnostics(steps * torch.tensor([3.0, 0.0, 0.0]))
    assert float(straight["straightness"]) == pytest.approx(1.0)
    assert float(straight["effective_rank"]) == pytest.approx(1.0, abs=1e-6)
    spread = latent_diagnostics(draws(4000, 5, 3))
    assert float(spread["effective_rank"]) == pytest.approx(3.0, abs=0.01)
    assert float(spread["latent_std"]) == pytest.approx(1.0, abs=0.02)
    back_and_forth = torch.tensor([0.0, 1.0, 0.0, 1.0])[None, :, None].expand(1, 4, 3)
    assert float(latent_diagnostics(back_and_forth)["straightness"]) == pytest.approx(-1.0)
    assert float(latent_diagnostics(torch.ones(4, 2, 3))["latent_std"]) == 0.0


def test_collapse_shows_in_single_dimensions_and_in_the_distance_from_a_gaussian() -> None:
    scale_D, mean_D = torch.tensor([0.0, 1.0, 2.0, 3.0, 9.0]), torch.tensor([0.0, 0.0, -7.0, 1.0, 0.0])
    z_BTD = draws(5000, 2, 5)
    partly = latent_diagnostics(z_BTD * scale_D + mean_D)
    found = [float(partly[f"latent_std_{name}"]) for name in ("min", "median", "max")]
    assert found == pytest.approx([0.0, 2.0, 9.0], rel=0.05)
    assert float(partly["latent_mean_max"]) == pytest.approx(7.0, rel=0.05)
    gaussian, collapsed = latent_diagnostics(z_BTD), latent_diagnostics(0.0 * z_BTD)
    assert float(gaussian["sigreg"]) < 2.0 < 100 * float(gaussian["sigreg"]) < float(collapsed["sigreg"])
    assert torch.equal(partly["sigreg"], SIGReg(SKETCH)((z_BTD * scale_D + mean_D).transpose(0, 1), 0, 0))
    assert "sigreg" not in latent_diagnostics(z_BTD, sigreg=False)
