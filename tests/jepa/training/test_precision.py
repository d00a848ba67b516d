"""Half precision: when it is chosen, how near it stays, and what an overflow costs."""

import pytest
import torch

from jepa.training.precision import LossScale, Precision, half_of, has_bf16
from jepa.training.state import TrainingState
from jepa.training.trainer import TrainConfig
from tests.jepa.training.test_compute import assert_equal, later, train
from tests.jepa.training.toy import CONFIG, toy_clips, toy_trainer

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "half"), [("fp32", None), ("fp64", None), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_half_precision_is_that_of_the_name(precision: Precision, half: torch.dtype | None) -> None:
    assert half_of(precision, CPU) == half


@pytest.mark.parametrize("instructions", [True, False])
def test_auto_takes_bf16_where_the_device_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, instructions: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": instructions}, raising=False)
    assert has_bf16(CPU) == instructions
    assert half_of("auto", CPU) == (torch.bfloat16 if instructions else None)


@pytest.mark.parametrize("half", [None, torch.bfloat16])
def test_only_float16_needs_a_loss_scale(half: torch.dtype | None) -> None:
    scale, weight = LossScale(half, CPU), torch.ones(2, requires_grad=True)
    scale.backward(3 * weight.sum())
    assert weight.grad is not None and weight.grad.tolist() == [3.0, 3.0]
    assert not scale.skips and scale.state() == {}


def test_half_precision_stays_near_and_resumes_to_the_bit() -> None:
    config = TrainConfig.model_validate(CONFIG.model_dump() | {"precision": "fp16"})
    plain, straight = train(toy_trainer(), 8), toy_trainer(config)
    half = train(straight, 8)
    for step, tolerance in enumerate((2e-3, 0.05, 0.05)):  # AdamW's full steps magnify any rounding
        name = f"figure/{step}/loss"
        assert half[name] == pytest.approx(float(plain[name]), rel=tolerance) and half[name] != plain[name]
    first, second = toy_trainer(config), toy_trainer(config, seed=5)
    train(first, 3)
    second.load(TrainingState.from_bytes(first.state().to_bytes()))
    assert_equal(train(second, 8), later(half), 0.0)
    assert second.state().meta["loss_scale"] == straight.state().meta["loss_scale"] != {}


def test_a_gradient_that_overflows_costs_its_step_only() -> None:
    trainer = toy_trainer(TrainConfig.model_validate(CONFIG.model_dump() | {"precision": "fp16"}))
    trainer._loss_scale.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**120)
    before = {name: tensor.clone() for name, tensor in trainer.state().tensors.items()}
    figures = trainer.step(toy_clips(16))
    after = trainer.state().tensors
    assert trainer.completed_steps == 1 and figures["loss"] < 1e3
    weight = "objective/model.projector.out.weight"
    assert torch.equal(after[weight], before[weight])
    assert trainer.state().meta["loss_scale"]["scale"] == 2.0**119
