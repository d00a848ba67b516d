"""The EMA objective: a teacher that follows slowly, has no gradient, and is part of a run's state."""

import pytest
import torch

from jepa.objectives.ema import EMA, EMAConfig
from jepa.training.trainer import Trainer
from tests.jepa.models.test_world_model import make_model, shake
from tests.jepa.training.toy import toy_clips, toy_trainer


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
    slow = objective.get_parameter("teacher.projector.out.weight")
    fast = model.get_parameter("projector.out.weight")
    start = slow.clone()
    with torch.no_grad():
        fast.add_(1.0)
    objective(toy_clips(8), 5, 10)["loss"].backward()
    assert torch.allclose(slow, start + 0.05, atol=1e-6)
    assert all(parameter.grad is None for parameter in objective.teacher.parameters())
    objective.eval()(toy_clips(8), 5, 10)
    assert torch.allclose(slow, start + 0.05, atol=1e-6)


def test_a_run_with_a_teacher_resumes_to_the_bit() -> None:
    def run(until: int, trainer: Trainer | None = None) -> Trainer:
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
