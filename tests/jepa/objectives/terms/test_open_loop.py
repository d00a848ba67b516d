"""Open-loop prediction: its value and gradient, how far it looks and when, and what it teaches."""

import pytest
import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.errors import InputError
from jepa.models.world_model import WorldModel
from jepa.objectives import make_objective
from jepa.objectives.lewm import LeWMConfig
from jepa.objectives.terms.open_loop import OpenLoopConfig, linearly_weighted
from jepa.training.trainer import TrainConfig, Trainer
from tests.jepa.models.test_world_model import draws, make_model, shake
from tests.jepa.objectives.latents import with_latents
from tests.jepa.training.toy import CONFIG, toy_clips, toy_trainer
from tests.narrow import present

FULL = {"open_loop_growth": 0.0, "sigreg": {"directions": 8}}


def written_out(model: WorldModel, clips: Clips, horizons: int, weight: float) -> Tensor:
    """The open-loop loss frame by frame, with the predictor alone."""
    history = model.config.history
    z_BTD = model.encode(clips.pixels_BTHWC)
    raw_BTX = (clips.action_BTKA - model.action_mean) / model.action_std
    action_BTE = model.action_encoder(raw_BTX)
    seen = [z_BTD[:, frame] for frame in range(history)]
    total = z_BTD.new_zeros(())
    for horizon in range(1, horizons + 1):
        present_frame = history + horizon - 2
        window = slice(present_frame + 1 - history, present_frame + 1)
        context_BLD = torch.stack(seen[window], dim=1)
        seen.append(model.predictor(context_BLD, action_BTE[:, window])[:, -1])
        error = ((seen[-1] - z_BTD[:, present_frame + 1]) ** 2).mean()
        total = total + horizon * error / sum(range(1, horizons + 1))
    return weight * total


def gradients(model: WorldModel, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: present(weight.grad).clone() for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("history", [1, 2])
def test_value_and_gradient_are_those_written_out(history: int) -> None:
    model = shake(make_model(history)).double().train()
    clips = toy_clips(8, frames=history + 3).to(torch.device("cpu"), torch.float64)
    options = FULL | {"open_loop_horizons": 3, "open_loop_weight": 0.7}
    plain = gradients(model, make_objective("lewm", model, {"sigreg": {"directions": 8}})(clips, 0, 10)["loss"])
    both = gradients(model, make_objective("lewm", model, options)(clips, 0, 10)["loss"])
    alone = gradients(model, written_out(model, clips, 3, 0.7))
    assert {name.partition(".")[0] for name in alone} == {"encoder", "projector", "predictor", "action_encoder"}
    for name, gradient in alone.items():
        assert gradient.abs().max() > 1e-9
        torch.testing.assert_close(both[name], plain[name] + gradient, rtol=1e-9, atol=1e-12)
    terms = make_objective("lewm", model, options)(clips, 0, 10)
    expected = float(written_out(model, clips, 3, 0.7).detach())
    assert float(0.7 * terms["open_loop_prediction"]) == pytest.approx(expected, rel=1e-12)
    assert not any(term.requires_grad for name, term in terms.items() if name != "loss")


def test_errors_count_in_proportion_to_their_horizons() -> None:
    assert float(linearly_weighted(torch.tensor([6.0, 0.0, 0.0]))) == pytest.approx(1.0)
    assert float(linearly_weighted(torch.tensor([0.0, 0.0, 6.0]))) == pytest.approx(3.0)
    assert float(linearly_weighted(torch.full((5,), 2.0))) == pytest.approx(2.0)


def test_the_largest_horizon_grows_linearly_with_the_steps() -> None:
    config = OpenLoopConfig(open_loop_horizons=5, open_loop_growth=0.4)
    assert [config.largest_horizon(step, 100) for step in (0, 9, 10, 20, 30, 39, 40, 99)] == [1, 1, 2, 3, 4, 4, 5, 5]
    assert OpenLoopConfig(open_loop_horizons=4, open_loop_growth=0.0).largest_horizon(0, 100) == 4
    assert {OpenLoopConfig(open_loop_horizons=1).largest_horizon(step, 10) for step in range(10)} == {1}


def test_a_run_shows_the_error_at_each_horizon_that_it_has_come_to() -> None:
    config = TrainConfig.model_validate(CONFIG.model_dump() | {"steps": 8})
    trainer = toy_trainer(config, options={"open_loop_horizons": 3, "open_loop_growth": 0.5})
    shown = [trainer.step(toy_clips(8, seed=step)) for step in range(8)]
    horizons = [sorted(name for name in figures if name.startswith("open_loop_prediction_")) for figures in shown]
    assert [len(names) for names in horizons] == [1, 1, 2, 2, 3, 3, 3, 3]
    assert horizons[-1][-1] == "open_loop_prediction_3"
    assert [figures["open_loop_horizon"] for figures in shown] == [len(names) for names in horizons]
    assert not any("open_loop" in name for name in toy_trainer().step(toy_clips(8)))


def test_one_horizon_from_a_clip_of_two_frames_is_the_prediction_of_one_step() -> None:
    model = shake(make_model(1)).train()
    terms = make_objective("lewm", model, FULL | {"open_loop_horizons": 1})(toy_clips(8, frames=2), 0, 10)
    assert float(terms["open_loop_prediction_1"]) == pytest.approx(float(terms["prediction"]), rel=1e-5)


def test_no_gradient_reaches_an_encoder_that_prediction_does_not_train() -> None:
    model = shake(make_model(1)).train()
    z_BTD = draws(8, 4, 6).requires_grad_()
    terms = {
        weight: make_objective(
            "lejepa", with_latents(model, z_BTD), FULL | {"open_loop_horizons": 3, "open_loop_weight": weight}
        )(toy_clips(8), 0, 10)["loss"]
        for weight in (1e-9, 5.0)
    }
    one, other = (torch.autograd.grad(loss, z_BTD)[0] for loss in terms.values())
    assert torch.equal(one, other)


def test_a_teacher_s_latents_are_the_targets_where_there_is_one() -> None:
    model = shake(make_model(1)).train()
    objective = make_objective("ema", model, {"open_loop_horizons": 3, "open_loop_growth": 0.0}).train()
    with torch.no_grad():
        objective.get_submodule("teacher.projector.out").get_parameter("weight").mul_(3)
    clips = toy_clips(8)
    terms = objective(clips, 0, 10)
    z_BTD, target_BTD = (part.encode(clips.pixels_BTHWC) for part in (model, objective.get_submodule("teacher")))  # type: ignore[operator]
    zhat_BHD = model.rollout(z_BTD[:, :1], clips.action_BTKA)
    expected = (zhat_BHD[:, 2] - target_BTD[:, 3]).square().mean().detach()
    assert float(terms["open_loop_prediction_3"]) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("name", ["lewm", "lejepa", "pldm", "auxiliary", "ema"])
def test_a_horizon_beyond_the_clip_is_refused_before_the_first_step(name: str) -> None:
    quantity = {"quantity": "place"} if name == "auxiliary" else {}
    objective = make_objective(name, make_model(2), {"open_loop_horizons": 4, **quantity})
    said = "objective_options.open_loop_horizons is 4 and clips have 3 frames beyond the model's history; raise "
    with pytest.raises(InputError, match=said + "train_options.horizon to 4"):
        Trainer(objective, TrainConfig(horizon=3))
    Trainer(objective, TrainConfig(horizon=4))
    with pytest.raises(InputError, match=said):
        objective(toy_clips(4, frames=5), 0, 10)


def test_constant_velocity_is_learned_open_loop() -> None:
    """Where each latent goes on as it went before, which two frames tell, the model learns to say so five times on."""

    def moving(seed: int) -> Tensor:
        start_B1D, velocity_B1D = draws(64, 1, 6, seed=2 * seed), 0.3 * draws(64, 1, 6, seed=2 * seed + 1)
        return start_B1D + torch.arange(7.0)[:, None] * velocity_B1D

    model = make_model(2)
    options = {"open_loop_horizons": 5, "sigreg_weight": 1e-9, "sigreg_weight_end": 1e-9, "sigreg": {"directions": 1}}
    settings = {"steps": 250, "horizon": 5, "learning_rate": 5e-3, "log_every": 1, "precision": "fp32"}
    trainer = Trainer(make_objective("lewm", model, options), TrainConfig.model_validate(settings))
    clips = toy_clips(64, frames=7)
    still = Clips(clips.pixels_BTHWC, torch.zeros_like(clips.action_BTKA), {})
    for seed in range(250):
        with_latents(model, moving(seed))
        figures = trainer.step(still)
    with_latents(model, unseen := moving(1000))
    with torch.inference_mode():
        zhat_BHD = model.rollout(unseen[:, :2], still.action_BTKA[:, 1:], still.action_BTKA[:, :1])
    missed, gone = (zhat_BHD[:, 4] - unseen[:, 6]).square().mean(), (unseen[:, 1] - unseen[:, 6]).square().mean()
    assert missed < 0.1 * gone and figures["open_loop_prediction_5"] < 0.1 * float(gone)


def test_options_that_are_off_are_not_looked_at() -> None:
    assert LeWMConfig().open_loop_horizons == 0
    clips = toy_clips(8, frames=2)
    assert "open_loop_prediction" not in make_objective("lewm", make_model(1))(clips, 0, 10)
