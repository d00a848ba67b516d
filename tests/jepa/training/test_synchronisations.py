"""A step whose figures are not logged never makes the host wait for its device, whatever the objective or the model."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.objectives import OBJECTIVES
from jepa.training.compute import ComputeConfig
from jepa.training.trainer import TrainConfig, Trainer
from tests.jepa.training.stand_in import STAND_IN, OtherProcesses, Waits, gpu
from tests.jepa.training.toy import CONFIG, PATCHES, toy_clips, toy_trainer

__all__ = ["gpu"]

OPTIONS: dict[str, dict[str, Any]] = {
    "lewm": {"reference_batch": 64, "sigreg": {"directions": 32}},
    "lejepa": {"sigreg": {"directions": 32}},
    "pldm": {"inverse_dynamics": 0.5},
    "auxiliary": {"quantity": "place"},
    "reconstruction": {"doublings": 1, "channels": 4},
}
TOKENS: dict[str, Any] = {"predictor": "tokens", "fields": PATCHES}
VIT = {"encoder": "vit", "encoder_options": {"patch_size": 8, "depth": 2, "heads": 2, "width": 16, "resize": 40}}
RESNET: dict[str, Any] = {"encoder": "resnet18", "encoder_options": {}}
MODELS: dict[str, dict[str, Any]] = {
    "vit, colours, twice": VIT | {"fields": {"pixel_scaling": "imagenet"}, "compute": ComputeConfig(accumulate=3)},
    "vit, recomputed": VIT | {"compute": ComputeConfig(checkpoint_activations=True)},
    "paper, history": {"predictor": "paper", "history": 3, "dropout": 0.1},
    "resnet18": RESNET,
}


def trainer_on_stand_in(**toy: Any) -> Trainer:
    """Returns a trainer whose next step is not a logged one."""
    config = TrainConfig.model_validate(CONFIG.model_dump() | {"log_every": 1000})
    trainer = toy_trainer(config, device=STAND_IN.type, **toy)
    trainer.completed_steps = 1
    return trainer


def waits_of_a_step(trainer: Trainer) -> list[str]:
    """Returns what the host would wait for in the second of two steps: the first sends constants to the device."""
    trainer.step(toy_clips(16))
    with Waits() as waits:
        assert trainer.step(toy_clips(16)) == {}
    found: list[str] = waits.found
    return found


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: float(x.sum()),
        lambda x: bool((x > 1).any()),
        lambda x: x.cpu(),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: x.new_tensor([1.0, 2.0]),
        lambda x: torch.tensor(3.0, device=x.device),
        lambda x: torch.ones(3).to(x.device),
        lambda x: x.copy_(torch.ones(3)),
    ],
)
def test_what_a_host_waits_for_is_recorded(wait: Callable[[Tensor], object]) -> None:
    x = torch.empty(3, device=STAND_IN)
    # The stand-in has no values to hand back.
    with contextlib.suppress(RuntimeError, NotImplementedError), Waits() as waits:
        wait(x)
    assert len(waits.found) == 1
    with Waits() as waits:
        torch.ones(3).to(x.device, non_blocking=True) + x.new_full((), 2.0) + x.abs().sum()
    assert not waits.found


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_no_objective_makes_the_host_wait(gpu: None, name: str) -> None:
    shape = TOKENS if name == "frozen" else {}
    trainer = trainer_on_stand_in(objective=name, options=OPTIONS.get(name, {}), history=2, dropout=0.1, **shape)
    assert waits_of_a_step(trainer) == []


@pytest.mark.parametrize(
    "option", [{"open_loop_horizons": 2}, {"joint_head": "inverse"}], ids=lambda one: next(iter(one))
)
def test_no_option_of_objectives_that_predict_makes_the_host_wait(gpu: None, option: dict[str, Any]) -> None:
    """The head `reachable` is none of these: it picks pairs of two clips by a mask, whose values the host waits for."""
    options = OPTIONS["lewm"] | option
    assert waits_of_a_step(trainer_on_stand_in(options=options, history=2, dropout=0.1)) == []


@pytest.mark.parametrize("model", MODELS)
def test_no_model_makes_the_host_wait(gpu: None, model: str) -> None:
    assert waits_of_a_step(trainer_on_stand_in(**MODELS[model])) == []


@pytest.mark.parametrize("toy", [{}, RESNET], ids=["1 BatchNorm", "21 BatchNorms"])
def test_many_processes_exchange_their_counts_once_a_step(
    gpu: None, monkeypatch: pytest.MonkeyPatch, toy: dict[str, Any]
) -> None:
    trainer = trainer_on_stand_in(history=2, dropout=0.1, **toy)
    processes = OtherProcesses(monkeypatch, clips=16)
    assert waits_of_a_step(trainer) == []
    assert processes.sent.count("cpu") == 2, "one exchange of counts in each of two steps"
    norms = 21 if toy else 1
    assert processes.sent.count(STAND_IN.type) >= 2 * 2 * norms, "sums of each BatchNorm, forward and backward"


def test_a_logged_step_is_what_waits(gpu: None) -> None:
    trainer = trainer_on_stand_in()
    trainer.completed_steps = trainer.config.steps - 1
    with pytest.raises(RuntimeError), Waits() as waits:
        trainer.step(toy_clips(16))
    assert waits.found


def test_clips_are_copied_while_the_host_goes_on() -> None:
    clips = toy_clips(4)
    with Waits() as waits:
        sent = clips.to(STAND_IN, torch.float64)
    assert not waits.found
    assert (
        sent.pixels_BTHWC.dtype == torch.uint8 and sent.action_BTKA.dtype == sent.state["place"].dtype == torch.float64
    )
    back = Clips(clips.pixels_BTHWC, clips.action_BTKA, {}).to(torch.device("cpu"), torch.float32)
    assert torch.equal(back.pixels_BTHWC, clips.pixels_BTHWC)
