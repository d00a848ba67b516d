"""A head trained with the model: what it adds to the loss, whom its gradient reaches, and what it leaves alone."""

from typing import Any

import pytest
import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.errors import InputError
from jepa.objectives import make_objective
from jepa.objectives.lewm import LeWMConfig
from jepa.objectives.terms.clip_latents import ClipLatents
from jepa.planning.heads.inverse import InverseHead
from jepa.training.trainer import TrainConfig, Trainer
from tests.jepa.models.test_world_model import draws, make_model, shake
from tests.jepa.objectives.latents import with_latents
from tests.jepa.training.toy import CONFIG, toy_clips, toy_trainer
from tests.narrow import present

SMALL = {"width": 8, "depth": 1, "batch_size": 32}
INVERSE: dict[str, Any] = {"joint_head": "inverse", "joint_head_options": SMALL, "sigreg": {"directions": 8}}
REACHABLE: dict[str, Any] = INVERSE | {"joint_head": "reachable"}
WIDE = TrainConfig.model_validate(CONFIG.model_dump() | {"clip": 1e6})
"""The head's gradient counts in the norm that `clip` bounds; here it bounds nothing."""


def trained(options: dict[str, Any], steps: int = 6, **toy: Any) -> Trainer:
    trainer = toy_trainer(WIDE, options=options, **toy)
    for step in range(steps):
        trainer.step(toy_clips(16, seed=step))
    return trainer


def of_model(trainer: Trainer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.objective.model.state_dict().items()}


def test_the_loss_is_the_objective_s_plus_the_weighted_head_s() -> None:
    z_BTD, clips = draws(8, 4, 6), toy_clips(8)
    plain = make_objective("lewm", with_latents(make_model(1), z_BTD), {"sigreg": {"directions": 8}})(clips, 0, 10)
    objective = make_objective("lewm", with_latents(make_model(1), z_BTD), INVERSE | {"joint_head_weight": 0.5})
    terms = objective.train()(clips, 0, 10)
    assert terms["joint_head"] > 0.1
    expected = float(plain["loss"].detach()) + 0.5 * float(terms["joint_head"])
    assert float(terms["loss"].detach()) == pytest.approx(expected, rel=1e-6)
    head = objective.planning_head()
    assert isinstance(head, InverseHead)
    torch.testing.assert_close(head.z_mean, ClipLatents.of(z_BTD, clips.action_BTKA).z_ND.mean(0))
    assert objective.eval()(clips, 0, 10)["joint_head"] != objective(clips, 1, 10)["joint_head"], "drawn for each step"


@pytest.mark.parametrize("options", [INVERSE, REACHABLE], ids=["inverse", "reachable"])
@pytest.mark.parametrize("detached", [False, True])
def test_its_gradient_reaches_the_encoder_unless_it_is_detached(options: dict[str, Any], detached: bool) -> None:
    z_BTD = draws(16, 4, 6).requires_grad_()
    model = with_latents(shake(make_model(1)), z_BTD)
    plain = make_objective("lewm", model, {"sigreg": {"directions": 8}})
    joint = make_objective("lewm", model, options | {"joint_head_detached": detached})
    clips = toy_clips(16)
    without, beside = (torch.autograd.grad(one.train()(clips, 0, 10)["loss"], z_BTD)[0] for one in (plain, joint))
    assert torch.equal(beside, without) if detached else (beside - without).abs().max() > 1e-5
    joint(clips, 0, 10)["loss"].backward()
    weights = [weight for weight in present(joint.planning_head()).parameters() if weight.dim() > 1]
    assert weights and all(present(weight.grad).abs().max() > 0 for weight in weights)


@pytest.mark.parametrize("options", [INVERSE, REACHABLE], ids=["inverse", "reachable"])
def test_a_model_beside_a_detached_head_is_the_one_without(options: dict[str, Any]) -> None:
    """Dropout and a predictor that ends in a BatchNorm would show any trace of what the head imagines."""
    toy: dict[str, Any] = {"history": 2, "dropout": 0.3, "predictor": "paper"}
    plain = of_model(trained({"sigreg": {"directions": 8}}, **toy))
    beside = of_model(trained(options | {"joint_head_detached": True}, **toy))
    joint = of_model(trained(options, **toy))
    assert any("running_mean" in name for name in plain)
    assert all(torch.equal(tensor, beside[name]) for name, tensor in plain.items())
    assert not all(torch.equal(tensor, joint[name]) for name, tensor in plain.items())


def test_training_goes_on_as_it_was_after_the_head_has_imagined() -> None:
    objective = make_objective("lewm", make_model(1), REACHABLE).train()
    objective(toy_clips(8), 0, 10)
    assert all(module.training for module in objective.modules())


def test_it_learns_what_was_done_between_two_frames() -> None:
    """Latents that move by the action, which stays the same throughout a clip, and more so from step to step."""
    pixels_BTHWC, seen_2D = toy_clips(64).pixels_BTHWC, draws(2, 6, seed=7)

    def moved(step: int) -> tuple[Tensor, Clips]:
        action_B2 = draws(64, 2, seed=2 * step)
        start_B12 = draws(64, 1, 2, seed=2 * step + 1)
        place_BT2 = start_B12 + torch.arange(4.0)[:, None] * action_B2[:, None]
        action_BTKA = action_B2[:, None, None].expand(64, 3, 4, 2)
        return (1 + step / 100) * place_BT2 @ seen_2D, Clips(pixels_BTHWC, action_BTKA, {})

    options = INVERSE | {"joint_head_options": {"width": 64, "depth": 2}, "joint_head_weight": 1.0}
    trainer = toy_trainer(TrainConfig.model_validate(WIDE.model_dump() | {"steps": 200}), options=options)
    for step in range(200):
        z_BTD, clips = moved(step)
        with_latents(trainer.objective.model, z_BTD)
        figures = trainer.step(clips)
    head = present(trainer.whole_head())
    assert isinstance(head, InverseHead) and not head.training
    assert figures["joint_head"] < 0.1
    z_BTD, clips = moved(199)
    answer_PLA = head(z_BTD[:, 0], z_BTD[:, 2], steps_left=8)
    assert (answer_PLA - clips.action_BTKA[:, 0]).square().mean() < 0.1
    # The scales have followed the latents, which were a third of that when training began.
    assert (head.z_std / z_BTD.flatten(0, 1).std(0)).log().abs().max() < 0.5


def test_a_resumed_run_has_the_same_head_to_the_bit() -> None:
    through = trained(INVERSE, steps=6)
    resumed = toy_trainer(WIDE, options=INVERSE)
    resumed.load(trained(INVERSE, steps=3).state())
    for step in range(3, 6):
        resumed.step(toy_clips(16, seed=step))
    one, other = through.state().tensors, resumed.state().tensors
    assert sum("joint_head" in name for name in one) > 10
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_a_seed_decides_the_pairs() -> None:
    def first(seed: int) -> float:
        trainer = toy_trainer(TrainConfig.model_validate(CONFIG.model_dump() | {"seed": seed}), options=INVERSE)
        return trainer.step(toy_clips(16))["joint_head"]

    assert first(1) == first(1) != first(2)


def test_options_are_the_head_s_own_with_fewer_pairs() -> None:
    config = LeWMConfig(joint_head="inverse")
    assert (config.joint_head_options["batch_size"], config.joint_head_options["width"]) == (256, 256)
    assert LeWMConfig().joint_head_options == {} and LeWMConfig.model_validate(config.model_dump()) == config
    with pytest.raises(InputError, match="joint_head: head 'inverted' is not known; choose one of: inverse"):
        make_objective("lewm", make_model(), {"joint_head": "inverted"})
    with pytest.raises(InputError, match="joint_head: head 'probe' learns from recorded states; fit it by"):
        make_objective("lewm", make_model(), {"joint_head": "probe"})
    with pytest.raises(InputError, match="joint_head: head 'temporal' learns from models that stay; fit it by"):
        make_objective("lewm", make_model(), {"joint_head": "temporal"})
    with pytest.raises(InputError, match="options are given and no joint_head; name one of: "):
        make_objective("lewm", make_model(), {"joint_head_options": {"width": 8}})
    with pytest.raises(InputError, match=r"joint_head_options\.inverse\.width: .*got 0"):
        make_objective("lewm", make_model(), {"joint_head": "inverse", "joint_head_options": {"width": 0}})
