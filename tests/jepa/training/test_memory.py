"""The memory of a step, found by a few clips."""

import pytest
import torch

from jepa.training.config import ComputeConfig
from jepa.training.memory import TRIALS, step_memory
from jepa.training.recipes import RECIPES, Recipe

CPU = torch.device("cpu")


def recipe(name: str = "lewm-small") -> Recipe:
    return RECIPES.get(name).for_world(64, 2)


def test_it_grows_with_the_batch_alone_as_larger_trials_do(monkeypatch: pytest.MonkeyPatch) -> None:
    small = step_memory(recipe(), ComputeConfig(), CPU)
    monkeypatch.setattr("jepa.training.memory.TRIALS", (8, 16))
    large = step_memory(recipe(), ComputeConfig(), CPU)
    assert TRIALS[1] < 8 and large.clip == pytest.approx(small.clip, rel=0.02)
    assert small.total(64) == pytest.approx(large.total(64), rel=0.02)
    assert small.state == 16 * small.parameters and small.parameters > 1_000_000
    # The frames as bytes and as numbers of the encoder are the least.
    assert small.clip > 4 * 64 * 64 * 3 * (1 + 2)


def test_recomputing_keeps_less_and_half_precision_too() -> None:
    usual = step_memory(recipe(), ComputeConfig(), CPU)
    again = step_memory(recipe(), ComputeConfig(checkpoint_activations=True), CPU)
    assert again.clip < usual.clip / 2 and again.state == usual.state
    single = recipe().model_copy(update={"train": recipe().train.model_copy(update={"precision": "fp32"})})
    half = recipe().model_copy(update={"train": recipe().train.model_copy(update={"precision": "bf16"})})
    assert step_memory(half, ComputeConfig(), CPU).clip < 0.8 * step_memory(single, ComputeConfig(), CPU).clip


def test_a_head_that_reads_quantities_is_measured_and_no_generator_is_touched() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    step_memory(recipe("small"), ComputeConfig(), CPU, {"position": 2})
    assert torch.equal(torch.rand(2), expected)
