"""The objectives beside LeWM's, each against its closed form or its definition."""

import pytest
import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.errors import InputError
from jepa.models.world_model import WorldModel
from jepa.objectives import OBJECTIVES, make_objective
from jepa.objectives.ema import EMA, EMAConfig
from jepa.objectives.pldm import batch_covariance, off_diagonal, spread_hinge, time_covariance
from jepa.objectives.sigreg import SIGReg, SIGRegConfig
from jepa.objectives.spectral import spectral_terms
from tests.jepa.models.test_world_model import draws, make_model, shake
from tests.jepa.training.toy import toy_clips, toy_trainer

OTHERS = {
    "lejepa": {"sigreg": {"directions": 8}},
    "pldm": {"inverse_dynamics": 1.0},
    "auxiliary": {"quantity": "place", "quantity_scale": 32.0},
    "spectral": {},
    "ema": {},
    "reconstruction": {"doublings": 2, "channels": 4},
}


def with_latents(model: WorldModel, z_BTD: Tensor) -> WorldModel:
    """Returns the model, made to see these latents in every picture."""
    model.encode = lambda pixels: z_BTD  # type: ignore[method-assign]
    return model


def test_all_are_registered() -> None:
    assert set(OTHERS) | {"lewm"} <= set(OBJECTIVES)


@pytest.mark.parametrize("name", OTHERS)
def test_each_gives_a_loss_that_trains_every_weight_it_owns(name: str) -> None:
    objective = make_objective(name, shake(make_model(2)), OTHERS[name]).train()
    terms = objective(toy_clips(8), 0, 10)
    assert {"latent_std", "sigreg"} <= terms.keys() and not any(
        term.requires_grad for key, term in terms.items() if key != "loss"
    )
    terms["loss"].backward()
    for weight, parameter in objective.named_parameters():
        assert not parameter.requires_grad or parameter.grad is not None, weight
    assert any(parameter.grad.abs().max() > 0 for parameter in objective.model.encoder.parameters())
    twin = make_objective(name, make_model(2), OTHERS[name])
    assert all(torch.equal(a, b) for a, b in zip(twin.state_dict().values(), objective_of(name), strict=True))


def objective_of(name: str) -> list[Tensor]:
    torch.rand(3)  # another draw before: what an objective adds must not depend on it
    return list(make_objective(name, make_model(2), OTHERS[name]).state_dict().values())


@pytest.mark.parametrize("name", ["auxiliary", "reconstruction", "pldm"])
def test_training_lowers_the_loss(name: str) -> None:
    trainer = toy_trainer(objective=name, options=OTHERS[name])
    losses = [trainer.step(toy_clips(16, seed=step))["loss"] for step in range(30)]
    assert losses[-1] < 0.6 * losses[0]


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


def test_pldm_s_terms_have_their_closed_forms() -> None:
    z_BTD = draws(7, 4, 3)
    for t in range(4):
        assert torch.allclose(batch_covariance(z_BTD)[t], z_BTD[:, t].T.cov(), atol=1e-6)
    for b in range(7):
        assert torch.allclose(time_covariance(z_BTD)[b], z_BTD[b].T.cov(), atol=1e-6)
    covariance = torch.tensor([[[0.25, 0.3], [0.3, 4.0]]])
    assert spread_hinge(covariance, 1.0)[0].tolist() == pytest.approx([0.5, 0.0], abs=1e-3)
    assert float(off_diagonal(covariance)) == pytest.approx(0.09)
    with pytest.raises(ValueError, match="at least 2 clips"):
        batch_covariance(z_BTD[:1])


def test_pldm_s_loss_is_the_weighted_sum_and_the_inverse_head_tells_actions() -> None:
    weights = {
        "variance": 2.0,
        "covariance": 3.0,
        "time_similarity": 5.0,
        "time_variance": 7.0,
        "time_covariance": 11.0,
    }
    model = shake(make_model(2)).train()
    model.set_action_statistics([1.0, -1.0], [0.5, 2.0])
    objective = make_objective("pldm", model, weights | {"inverse_dynamics": 13.0})
    clips = toy_clips(8)
    terms = objective(clips, 0, 10, diagnostics=False)
    weighted = terms["prediction"] + sum(weight * terms[name] for name, weight in weights.items())
    assert torch.allclose(terms["loss"], weighted + 13.0 * terms["inverse_dynamics"])
    z_BTD = model.encode(clips.pixels_BTHWC)
    assert torch.allclose(terms["time_similarity"], (z_BTD[:, 1:] - z_BTD[:, :-1]).square().mean())
    for parameter in objective.inverse.parameters():
        parameter.data.zero_()
    scaled = (clips.action_BTKA - torch.tensor([1.0, -1.0])) / torch.tensor([0.5, 2.0])
    assert torch.allclose(objective(clips, 0, 10)["inverse_dynamics"], scaled.square().mean())
    assert make_objective("pldm", make_model(2)).inverse is None


def test_auxiliary_regresses_the_named_quantity_without_stopping_gradients() -> None:
    z_BTD = draws(8, 4, 6).requires_grad_()
    objective = make_objective("auxiliary", with_latents(make_model(1), z_BTD), {**OTHERS["auxiliary"], "weight": 3.0})
    for parameter in objective.head.parameters():
        parameter.data.zero_()
    clips = toy_clips(8)
    terms = objective(clips, 0, 10)
    assert torch.allclose(terms["regression"], (clips.state["place"] / 32).square().mean())
    # The untrained predictor says that nothing changes.
    prediction = z_BTD.diff(dim=1).square().mean()
    assert torch.allclose(terms["loss"], prediction + 3 * terms["regression"])
    gradients = [torch.autograd.grad(loss, z_BTD, retain_graph=True)[0] for loss in (terms["loss"], prediction)]
    assert torch.allclose(*gradients, atol=1e-6)
    with pytest.raises(InputError, match=r"quantity: 'place' is not in the dataset; choose one of: door"):
        objective(Clips(clips.pixels_BTHWC, clips.action_BTKA, {"door": torch.zeros(8, 4, 1)}), 0, 10)
    with pytest.raises(InputError, match=r"quantity_size: 'place' has 1 values, got 2"):
        objective(Clips(clips.pixels_BTHWC, clips.action_BTKA, {"place": torch.zeros(8, 4, 1)}), 0, 10)


def test_spectral_contrasts_with_all_other_clips() -> None:
    predicted, successor = draws(3, 5, 4), draws(3, 5, 4, seed=2)
    attraction, repulsion = spectral_terms(predicted, successor)
    scores_TNN = predicted @ successor.mT
    others = ~torch.eye(5, dtype=torch.bool)
    assert torch.allclose(attraction, scores_TNN.diagonal(dim1=1, dim2=2).mean())
    assert torch.allclose(repulsion, scores_TNN[:, others].square().mean(), rtol=1e-4)
    with pytest.raises(ValueError, match="at least 2 clips"):
        spectral_terms(predicted[:, :1], successor[:, :1])


def test_spectral_s_expectation_is_the_distance_of_the_factorisation() -> None:
    # A chain of 6 states; M̄ = D^{-1/2} P(x, x⁺) D₊^{-1/2}, G and F weighted by the roots of the marginals.
    joint = torch.rand(6, 6, generator=torch.Generator().manual_seed(0))
    joint /= joint.sum()
    before, after = joint.sum(1), joint.sum(0)
    operator = joint / torch.outer(before, after).sqrt()
    g_6D, f_6D = 0.5 * draws(6, 2), 0.5 * draws(6, 2, seed=2)
    factored = (before.sqrt()[:, None] * g_6D) @ (after.sqrt()[:, None] * f_6D).T
    expected = (operator - factored).square().sum() - operator.square().sum()
    pairs = joint.flatten().multinomial(200_000, replacement=True, generator=torch.Generator().manual_seed(1))
    attraction, repulsion = spectral_terms(g_6D[pairs // 6][None], f_6D[pairs % 6][None])
    assert float(repulsion - 2 * attraction) == pytest.approx(float(expected), abs=5e-3)


def test_the_teacher_follows_and_gives_no_gradient() -> None:
    config = EMAConfig(momentum=0.9)
    assert [config.momentum_at(step, 10) for step in (0, 5, 10)] == pytest.approx([0.9, 0.95, 1.0])
    model = shake(make_model(2)).train()
    objective = EMA(model, config).train()
    first = objective(toy_clips(8), 0, 10)
    z_BTD = model.encode(toy_clips(8).pixels_BTHWC)
    # At step 0 the teacher is the encoder, in value.
    zhat_BTD = model.predict(z_BTD[:, :-1], toy_clips(8).action_BTKA)
    assert torch.allclose(first["loss"], (zhat_BTD - z_BTD[:, 1:]).square().mean(), rtol=1e-4)
    slow, fast = objective.teacher.projector.out.weight, model.projector.out.weight
    start = slow.clone()
    with torch.no_grad():
        fast += 1.0
    objective(toy_clips(8), 5, 10)["loss"].backward()
    assert torch.allclose(slow, start + 0.05, atol=1e-6)
    assert all(parameter.grad is None for parameter in objective.teacher.parameters())
    objective.eval()(toy_clips(8), 5, 10)
    assert torch.allclose(slow, start + 0.05, atol=1e-6)


def test_a_run_with_a_teacher_resumes_to_the_bit() -> None:
    def run(until: int, trainer: object = None) -> object:
        trainer = trainer or toy_trainer(objective="ema", options={"momentum": 0.5})
        for step in range(trainer.completed_steps, until):
            trainer.step(toy_clips(16, seed=step))
        return trainer

    straight, resumed = run(6), toy_trainer(objective="ema", options={"momentum": 0.5}, seed=4)
    resumed.load(run(3).state())
    run(6, resumed)
    expected = straight.state().tensors
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.state().tensors.items())
    assert any(name.startswith("objective/teacher.encoder") for name in expected)


def test_reconstruction_is_the_error_of_the_drawn_pictures() -> None:
    model = shake(make_model(2)).train()
    objective = make_objective("reconstruction", model, OTHERS["reconstruction"] | {"present_weight": 2.0})
    for parameter in objective.decoder.layers[-1].parameters():
        parameter.data.zero_()
    clips = toy_clips(8)
    terms = objective(clips, 0, 10)
    # A decoder that draws mid-grey: the error is the mean square of the frames, averaged down from 32 to 16 pixels.
    frames = clips.pixels_BTHWC.float().div(127.5).sub(1)
    small = frames.unflatten(3, (16, 2)).unflatten(2, (16, 2)).mean((3, 5))
    assert torch.allclose(terms["present"], small.square().mean(), rtol=1e-4)
    assert torch.allclose(terms["prediction"], small[:, 1:].square().mean(), rtol=1e-4)
    assert torch.allclose(terms["loss"], terms["prediction"] + 2 * terms["present"])


def test_statistics_stay_in_full_precision_under_autocast() -> None:
    z_BTD, other_BTD = draws(7, 4, 3), draws(7, 4, 3, seed=2)
    expected = [batch_covariance(z_BTD), time_covariance(z_BTD), *spectral_terms(z_BTD, other_BTD)]
    with torch.autocast("cpu", torch.bfloat16):
        found = [batch_covariance(z_BTD), time_covariance(z_BTD), *spectral_terms(z_BTD, other_BTD)]
    assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))
