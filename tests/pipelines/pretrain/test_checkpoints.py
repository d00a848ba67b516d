"""Checkpoints come back as they were saved, and a torn one counts for nothing."""

import pytest
import torch

from infra.storage import Store
from jepa.training.state import TrainingState
from pipelines.store.models.checkpoints import Checkpoint, Checkpoints
from pipelines.store.models.manifest import ModelHandle


def checkpoint(step: int) -> Checkpoint:
    tensors = {"weight": torch.full((3, 2), float(step)), "count": torch.tensor(step)}
    return Checkpoint(step, TrainingState(tensors, {"completed_steps": step}), {"epoch": 1, "batch": step})


def test_a_saved_checkpoint_comes_back_equal(store: Store) -> None:
    checkpoints = Checkpoints(ModelHandle(store, "m0"))
    checkpoints.save(checkpoint(5))
    held = checkpoints.load(5)
    assert held.loader_position == {"epoch": 1, "batch": 5}
    assert held.state.meta == {"completed_steps": 5}
    assert torch.equal(held.state.tensors["weight"], torch.full((3, 2), 5.0))


@pytest.mark.parametrize("keep", [1, 2])
def test_only_the_last_few_are_kept(store: Store, keep: int) -> None:
    checkpoints = Checkpoints(ModelHandle(store, "m0"), keep)
    for step in (1, 2, 3, 4):
        checkpoints.save(checkpoint(step))
    assert checkpoints.steps() == [3, 4][-keep:]
    assert len(store.list("models/m0/checkpoints/")) == 2 * keep


def test_a_checkpoint_without_its_mark_is_none(store: Store) -> None:
    checkpoints = Checkpoints(ModelHandle(store, "m0"))
    checkpoints.save(checkpoint(1))
    store.write("models/m0/checkpoints/step-00000002/state.safetensors", checkpoint(2).state.to_bytes())
    assert checkpoints.latest_step() == 1


def test_damaged_bytes_fall_back_to_the_one_before(store: Store) -> None:
    checkpoints = Checkpoints(ModelHandle(store, "m0"))
    checkpoints.save(checkpoint(1))
    checkpoints.save(checkpoint(2))
    path = "models/m0/checkpoints/step-00000002/state.safetensors"
    data = bytearray(store.read(path))
    data[-1] ^= 1
    store.write(path, bytes(data))
    assert checkpoints.latest_step() == 1
    store.write(path, bytes(data[:40]))
    assert checkpoints.latest_step() == 1


def test_another_model_s_checkpoints_are_not_ours(store: Store) -> None:
    Checkpoints(ModelHandle(store, "m0-long")).save(checkpoint(7))
    assert Checkpoints(ModelHandle(store, "m0")).latest_step() is None
