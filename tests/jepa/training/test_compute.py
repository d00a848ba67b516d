"""Ways to compute a step: micro-batches, recomputation, compiled, half precision, shards; the mathematics stays."""

from typing import Any, cast

import pytest
import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from jepa.core.errors import InputError
from jepa.training.compute import ComputeConfig
from jepa.training.state import TrainingState
from jepa.training.trainer import TrainConfig, Trainer
from tests.jepa.training.gloo import run_in_processes
from tests.jepa.training.toy import BESIDE, CONFIG, PATCHES, toy_clips, toy_trainer, toy_weights

FROZEN: dict[str, Any] = {"objective": "frozen", "options": {}, "history": 2, "predictor": "tokens", "fields": PATCHES}
VIT: dict[str, Any] = {"encoder": "vit", "encoder_options": {"patch_size": 8, "depth": 2, "heads": 2, "width": 16}}
RESNET: dict[str, Any] = {"encoder": "resnet18", "encoder_options": {}}
EXACT = TrainConfig.model_validate(CONFIG.model_dump() | {"precision": "fp64"})
WAYS: dict[str, tuple[dict[str, Any], ComputeConfig]] = {
    "micro-batches": (VIT, ComputeConfig(accumulate=3)),
    "recomputed": (VIT | {"history": 2, "dropout": 0.2}, ComputeConfig(checkpoint_activations=True)),
    "both": (VIT | {"history": 2}, ComputeConfig(accumulate=2, checkpoint_activations=True)),
    "convolutions in micro-batches": ({}, ComputeConfig(accumulate=3, checkpoint_activations=True)),
    "open loop and head, both": (
        VIT | {"history": 2, "options": BESIDE},
        ComputeConfig(accumulate=2, checkpoint_activations=True),
    ),
    "batch norm recomputed": (RESNET, ComputeConfig(checkpoint_activations=True)),
    "more micro-batches than frames": (VIT, ComputeConfig(accumulate=1000)),
    "frozen, both": (FROZEN, ComputeConfig(accumulate=3, checkpoint_activations=True)),
}


def train(trainer: Trainer, steps: int, share: slice = slice(None)) -> dict[str, Tensor]:
    """Returns the figures of every step, and the state after the last."""
    results: dict[str, Tensor] = {}
    for step in range(trainer.completed_steps, steps):
        clips = toy_clips(16, seed=step)
        part = type(clips)(clips.pixels_BTHWC[share], clips.action_BTKA[share], {})
        results |= {
            f"figure/{step}/{name}": torch.tensor(value, dtype=torch.float64)
            for name, value in trainer.step(part).items()
        }
    return results | trainer.state().tensors


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor], tolerance: float) -> None:
    assert one.keys() == other.keys()
    for name, tensor in other.items():
        assert torch.allclose(one[name].double(), tensor.double(), rtol=tolerance, atol=tolerance), name


def later(results: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the results of a run without the figures of its first three steps, as one resumed there gives them."""
    first = tuple(f"figure/{step}/" for step in range(3))
    return {name: tensor for name, tensor in results.items() if not name.startswith(first)}


@pytest.mark.parametrize("way", WAYS)
def test_the_mathematics_stays(way: str) -> None:
    toy, compute = WAYS[way]
    plain = train(toy_trainer(EXACT, **toy), 6)
    learned = "objective/model.action_encoder.layers.0.weight"
    assert (plain[learned] - toy_trainer(EXACT, **toy).state().tensors[learned]).abs().max() > 1e-3
    assert_equal(train(toy_trainer(EXACT, compute=compute, **toy), 6), plain, 1e-6)


def held_bytes(compute: ComputeConfig) -> int:
    """Returns what a forward pass of encoder and predictor keeps for the gradient."""
    trainer, clips = toy_trainer(compute=compute, **VIT), toy_clips(16)
    held: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = trainer.objective(clips, 0, 1)["loss"]
    assert loss.requires_grad
    return sum(held.values())


def test_less_is_held_for_the_gradient() -> None:
    plain = held_bytes(ComputeConfig())
    assert held_bytes(ComputeConfig(accumulate=4)) < plain / 3
    assert held_bytes(ComputeConfig(checkpoint_activations=True)) < plain / 2


def test_an_encoder_that_ties_frames_together_takes_no_micro_batches() -> None:
    message = r"accumulate 2 does not fit encoder 'resnet18': .* take encoder 'vit' or 'conv'"
    with pytest.raises(InputError, match=message):
        toy_trainer(compute=ComputeConfig(accumulate=2), **RESNET)


def test_a_frozen_encoder_splits_a_batch_into_micro_batches() -> None:
    model = toy_trainer(compute=ComputeConfig(accumulate=4), **FROZEN).objective.model
    rows: list[int] = []
    model.encoder.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    with torch.no_grad():
        model.encode(toy_clips(16).pixels_BTHWC)
    assert rows == [16, 16, 16, 16]


@pytest.mark.slow
@pytest.mark.parametrize(
    "toy", [VIT | {"encoder_options": VIT["encoder_options"] | {"depth": 1}, "options": BESIDE}, FROZEN]
)
def test_compiled_is_the_same(toy: dict[str, Any]) -> None:
    compiled = toy_trainer(EXACT, compute=ComputeConfig(compile="default"), **toy)
    assert_equal(train(compiled, 3), train(toy_trainer(EXACT, **toy), 3), 1e-6)


SHARED: dict[str, dict[str, Any]] = {
    "conv": {"options": BESIDE},
    "vit": VIT | {"history": 2, "dropout": 0.2},
    "frozen": FROZEN,
}


def in_shares(this_rank: int, weights: str) -> dict[str, Tensor]:
    share = slice(0, 11) if this_rank == 0 else slice(11, None)
    results: dict[str, Tensor] = {}
    for encoder, toy in SHARED.items():
        toy = toy | ({"options": {"weights": weights}} if encoder == "frozen" else {})
        fsdp = ComputeConfig(parallel="fsdp", checkpoint_activations=encoder != "conv")
        trainer = toy_trainer(EXACT, compute=fsdp, **toy)
        train(trainer, 3, share)
        saved = trainer.state().to_bytes()
        resumed = toy_trainer(EXACT, seed=this_rank, compute=fsdp, **toy)
        resumed.load(TrainingState.from_bytes(saved))
        held = sum(cast(DTensor, parameter).to_local().numel() for parameter in resumed._trained.values())
        results |= {f"{encoder}/{name}": tensor for name, tensor in train(resumed, 6, share).items()}
        results[f"{encoder}/held"] = torch.tensor(held)
        if (head := resumed.whole_head()) is not None:
            results |= {f"{encoder}/objective/joint_head.{name}": whole for name, whole in head.state_dict().items()}
    with pytest.raises(InputError, match="'fsdp' does not fit objective EMA"):
        toy_trainer(EXACT, objective="ema", options={}, compute=fsdp)
    return results


@pytest.mark.slow
def test_shares_of_the_weights_train_and_resume_as_the_whole() -> None:
    with toy_weights(toy_trainer(**FROZEN).objective.model.config) as frozen:
        results = run_in_processes(in_shares, 2, frozen["weights"])
    for encoder, toy in SHARED.items():
        whole = later(train(toy_trainer(EXACT, **toy), 6))
        weights = toy_trainer(**toy).objective.parameters()
        learning = sum(weight.numel() for weight in weights if weight.requires_grad)
        assert sum(int(result[f"{encoder}/held"]) for result in results) == learning
        for result in results:
            mine = {
                name.removeprefix(f"{encoder}/"): tensor for name, tensor in result.items() if name.startswith(encoder)
            }
            del mine["held"]
            assert_equal(mine, whole, 1e-6)
