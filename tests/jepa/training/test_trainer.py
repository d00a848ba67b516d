"""The trainer: it learns, resumes to the bit, and says what went wrong."""

import math
from typing import Any

import pytest
import torch

from jepa.core.errors import InputError
from jepa.training.state import TrainingState
from jepa.training.trainer import TrainConfig, Trainer, TrainingFailure
from tests.jepa.training.toy import BESIDE, CONFIG, toy_clips, toy_trainer


def variant(**fields: object) -> TrainConfig:
    return TrainConfig.model_validate(CONFIG.model_dump() | fields)


def run(trainer: Trainer, until: int) -> list[dict[str, float]]:
    return [trainer.step(toy_clips(16, seed=step)) for step in range(trainer.completed_steps, until)]


def test_training_lowers_the_loss_and_keeps_the_latents_spread() -> None:
    figures = run(toy_trainer(), 60)
    # Means of five steps: fresh directions move a single figure by a tenth.
    first, last = (
        {name: sum(step[name] for step in part) / 5 for name in part[0]} for part in (figures[:5], figures[-5:])
    )
    assert last["sigreg"] < 0.9 * first["sigreg"]
    assert last["loss"] < 0.3 * first["loss"]
    assert 0.35 < last["latent_std"] < 1.6


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("options", [None, BESIDE], ids=["", "open loop and head"])
def test_a_resumed_run_is_the_same_to_the_bit(precision: str, options: dict[str, Any] | None) -> None:
    """Also in the middle of a curriculum, and with a head whose scales have followed the latents."""
    config = variant(steps=12, precision=precision)
    toy: dict[str, Any] = {"dropout": 0.2, "options": options}
    straight = toy_trainer(config, **toy)
    expected = run(straight, 12)
    first = toy_trainer(config, **toy)
    run(first, 5)
    saved = first.state().to_bytes()
    # Another seed and another global generator: everything must come from the state.
    torch.manual_seed(99)
    second = toy_trainer(config, seed=8, **toy)
    second.load(TrainingState.from_bytes(saved))
    assert second.completed_steps == 5
    assert run(second, 12) == expected[5:]
    for name, tensor in straight.state().tensors.items():
        assert torch.equal(tensor, second.state().tensors[name]), name


def test_a_state_is_a_copy_and_an_untrained_one_loads_too() -> None:
    trainer = toy_trainer()
    untrained = trainer.state()
    before = {name: tensor.clone() for name, tensor in untrained.tensors.items()}
    run(trainer, 2)
    assert all(torch.equal(before[name], tensor) for name, tensor in untrained.tensors.items())
    again = toy_trainer(seed=3)
    again.load(untrained)
    assert run(again, 2) == run(toy_trainer(), 2)


def test_steps_between_logged_ones_return_nothing() -> None:
    trainer = toy_trainer(variant(steps=8, log_every=3))
    assert [bool(figures) for figures in run(trainer, 8)] == [True, False, True, False, False, True, False, True]
    assert trainer.finished
    with pytest.raises(InputError, match="8 steps are done"):
        trainer.step(toy_clips(16))


def test_draws_outside_are_left_alone() -> None:
    trainer = toy_trainer(dropout=0.5)
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    run(trainer, 1)
    assert torch.equal(torch.rand(2), expected)


def test_numbers_that_are_not_finite_stop_the_run() -> None:
    trainer = toy_trainer(variant(log_every=1000))
    run(trainer, 2)
    with torch.no_grad():
        trainer.objective.model.get_parameter("projector.out.weight")[0, 0] = math.nan
    with pytest.raises(TrainingFailure, match=r"model.projector.out.weight is no longer finite; lower learning_rate"):
        trainer.state()
    trainer = toy_trainer(CONFIG)
    with torch.no_grad():
        trainer.objective.model.get_parameter("projector.out.weight")[0, 0] = math.nan
    with pytest.raises(TrainingFailure, match="at step 1: loss is nan"):
        run(trainer, 1)


def test_collapsed_latents_stop_the_run() -> None:
    trainer = toy_trainer(variant(warmup=0.0))
    with torch.no_grad():
        trainer.objective.model.get_parameter("projector.out.weight").zero_()
    with pytest.raises(TrainingFailure, match="the latents have collapsed"):
        run(trainer, 1)


def test_a_state_of_another_run_is_refused() -> None:
    state = toy_trainer().state()
    with pytest.raises(InputError, match=r"train.learning_rate = 0.002, this run asks for 0.01"):
        toy_trainer(variant(learning_rate=0.01)).load(state)
    with pytest.raises(InputError, match=r"model.history = 1, this run asks for 2"):
        toy_trainer(history=2).load(state)
    toy_trainer(variant(log_every=7)).load(state)
    tensors = dict(state.tensors)
    del tensors["objective/model.projector.out.weight"]
    with pytest.raises(InputError, match=r"lacks tensor 'objective/model.projector.out.weight'"):
        toy_trainer().load(TrainingState(tensors, state.meta))


def test_a_state_of_older_code_is_understood() -> None:
    trainer = toy_trainer()
    run(trainer, 2)
    state = trainer.state()
    # As code before tile_elements wrote it.
    sigreg = {"directions": 32, "knots": 17, "t_max": 3.0, "seed": 0, "chunk_elements": 131_072}
    meta = {**state.meta, "objective": state.meta["objective"] | {"sigreg": sigreg}}
    resumed = toy_trainer()
    resumed.load(TrainingState(state.tensors, meta))
    assert run(resumed, 4) == run(trainer, 4)
    toy_trainer(options={"sigreg": {"directions": 32, "tile_elements": 512}}).load(state)
    other = {**state.meta, "objective": state.meta["objective"] | {"sigreg": sigreg | {"knots": 9}}}
    with pytest.raises(InputError, match=r"objective.sigreg = .*'knots': 9"):
        toy_trainer().load(TrainingState(state.tensors, other))


def test_a_schedule_may_be_longer_than_the_run() -> None:
    trainer = toy_trainer(variant(steps=100, schedule_length=10.0, warmup=0.01))
    rates = [trainer.learning_rate(step) / CONFIG.learning_rate for step in range(100)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    # The cosine's value at 89 of its 990 steps: the run ends with the rate that the paper's runs end with.
    assert rates[-1] == pytest.approx(0.5 * (1 + math.cos(math.pi * 89 / 990))) and rates[-1] > 0.97
    with pytest.raises(ValueError, match="schedule_length"):
        variant(schedule_length=0.5)
