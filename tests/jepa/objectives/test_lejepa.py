"""LeJEPA's loss: its terms, and what its gradient reaches."""

import torch

from jepa.objectives import make_objective
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig
from tests.jepa.models.test_world_model import draws, make_model
from tests.jepa.objectives.latents import with_latents
from tests.jepa.training.toy import toy_clips


def test_lejepa_aligns_two_views_and_leaves_the_encoder_to_it() -> None:
    z_BTD = draws(8, 4, 6).requires_grad_()
    model = with_latents(make_model(2), z_BTD)
    terms = make_objective("lejepa", model, {"sigreg_weight": 0.2, "sigreg": {"directions": 8}})(toy_clips(8), 0, 10)
    views_2BTD = torch.stack([z_BTD[:, :-1], z_BTD[:, 1:]])
    alignment = (views_2BTD - views_2BTD.mean(0)).square().mean()
    sigreg = SIGReg(SIGRegConfig(directions=8))(z_BTD.transpose(0, 1), 0, 0)
    assert torch.allclose(terms["alignment"], alignment)
    assert torch.allclose(terms["loss"], 0.8 * alignment + 0.2 * sigreg + terms["prediction"])
    (with_predictor,) = torch.autograd.grad(terms["loss"], z_BTD, retain_graph=True)
    (without,) = torch.autograd.grad(0.8 * alignment + 0.2 * sigreg, z_BTD)
    assert torch.allclose(with_predictor, without, atol=1e-6) and float(terms["prediction"]) > 0
