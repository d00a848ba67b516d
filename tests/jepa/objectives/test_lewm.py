"""LeWM's loss: its terms, the schedule of λ, and what gradients reach."""

import pytest
import torch

from jepa.core.clips import Clips
from jepa.core.errors import InputError
from jepa.objectives import make_objective
from jepa.objectives.lewm import LeWM, LeWMConfig
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig
from tests.jepa.models.test_world_model import draws, make_model, shake
from tests.jepa.objectives.latents import with_latents
from tests.jepa.training.toy import toy_clips


def test_the_loss_is_prediction_plus_weighted_sigreg_and_nothing_else() -> None:
    model = shake(make_model(2)).train()
    clips = toy_clips(8)
    terms = LeWM(model, LeWMConfig(sigreg=SIGRegConfig(directions=16)))(clips, step=0, total_steps=10)
    z_BTD = model.encode(clips.pixels_BTHWC)
    prediction = (model.predict(z_BTD[:, :-1], clips.action_BTKA) - z_BTD[:, 1:]).square().mean()
    sigreg = SIGReg(SIGRegConfig(directions=16))(z_BTD.transpose(0, 1), 0, 0)
    assert torch.allclose(terms["prediction"], prediction) and torch.allclose(terms["sigreg"], sigreg)
    assert torch.allclose(terms["loss"], prediction + 0.1 * sigreg)
    assert {"latent_std", "effective_rank", "straightness", "lambda"} <= terms.keys()
    assert not any(value.requires_grad for name, value in terms.items() if name != "loss")


def test_gradients_flow_through_the_targets() -> None:
    model = make_model(1).train()
    z_BTD = draws(4, 3, 6).requires_grad_()
    with_latents(model, z_BTD)
    config = LeWMConfig(sigreg_weight=1e-9, sigreg_weight_end=1e-9)
    LeWM(model, config)(toy_clips(4, frames=3), 0, 10)["loss"].backward()
    # The untrained predictor says that nothing changes, so the loss is the mean of (z_t - z_{t+1})².
    assert z_BTD.grad is not None
    expected = 2 * (z_BTD[:, 2] - z_BTD[:, 1]) / (4 * 2 * 6)
    assert torch.allclose(z_BTD.grad[:, 2], expected.detach(), atol=1e-6)


def test_the_weight_holds_then_falls_geometrically_then_settles() -> None:
    config = LeWMConfig(sigreg_weight=0.1, sigreg_weight_end=0.001, hold=0.2, settle=0.6)
    weights = [config.weight(step, 100) for step in (0, 20, 40, 60, 99)]
    assert weights == pytest.approx([0.1, 0.1, 0.01, 0.001, 0.001])
    constant = LeWMConfig(sigreg_weight=0.3, sigreg_weight_end=0.3)
    assert {round(constant.weight(step, 50), 12) for step in range(50)} == {0.3}
    assert LeWMConfig(hold=0.5, settle=0.5).weight(51, 100) == pytest.approx(0.01)
    with pytest.raises(ValueError, match=r"settle 0.1 comes before hold 0.2"):
        LeWMConfig(settle=0.1)


def test_wrong_options_name_the_field() -> None:
    with pytest.raises(InputError, match=r"objective_options.sigreg.knots: .*got 1"):
        make_objective("lewm", make_model(), {"sigreg": {"knots": 1}})
    with pytest.raises(InputError, match=r"objective 'jepa' is not known; choose one of: .*lejepa, lewm"):
        make_objective("jepa", make_model())


def test_clips_of_two_frames_are_enough() -> None:
    model = make_model(1).train()
    clips = toy_clips(4)
    short = Clips(clips.pixels_BTHWC[:, :2], clips.action_BTKA[:, :1], {})
    assert LeWM(model, LeWMConfig())(short, 0, 10)["loss"].isfinite()


def test_stated_at_a_reference_batch_the_weight_times_the_batch_stays() -> None:
    config = LeWMConfig(sigreg_weight=0.09, sigreg_weight_end=0.09, reference_batch=128)
    assert [config.weight(0, 10, clips) * clips for clips in (32, 128, 2048)] == pytest.approx([0.09 * 128] * 3)
    assert LeWMConfig().weight(0, 10, 2048) == LeWMConfig().weight(0, 10)
    model = make_model(2).train()
    terms = LeWM(model, LeWMConfig(reference_batch=4, sigreg=SIGRegConfig(directions=8)))(toy_clips(8), 0, 10)
    assert float(terms["lambda"]) == pytest.approx(0.1 * 4 / 8)
    assert torch.allclose(terms["loss"], terms["prediction"] + 0.05 * terms["sigreg"])
