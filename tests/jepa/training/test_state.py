"""A run's state as bytes: what comes back is what was given, and other bytes are refused."""

import pytest
import torch

from jepa.core.errors import InputError
from jepa.training.state import TrainingState
from tests.jepa.training.toy import toy_trainer


def test_every_tensor_and_the_description_come_back_exactly() -> None:
    tensors = {
        "weight": torch.randn(3, 4).T,
        "half": torch.randn(5).bfloat16(),
        "step": torch.tensor(7.0),
        "double": torch.randn(2, dtype=torch.float64),
        "empty": torch.empty(0, 3),
    }
    meta = {"completed_steps": 3, "loss_scale": {"scale": 2.0**16}, "objective": {"name": "λ", "weights": [0.1, None]}}
    state = TrainingState(tensors, meta)
    again = TrainingState.from_bytes(state.to_bytes())
    assert again.meta == meta and again.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert again.tensors[name].dtype == tensor.dtype and torch.equal(again.tensors[name], tensor), name
    assert state.to_bytes() == again.to_bytes()


def test_bytes_that_are_no_state_are_refused() -> None:
    for data in (b"", b"PK\x03\x04 not ours", toy_trainer().state().to_bytes()[:-100]):
        with pytest.raises(InputError, match="not a checkpoint"):
            TrainingState.from_bytes(data)
