"""Every objective trained by two real gloo processes is that trained by one: figures, weights, running statistics."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.collectives import all_reduce_sum, global_count, global_mean, rank, world_size
from jepa.core.errors import InputError
from jepa.training.trainer import TrainConfig
from tests.jepa.models.test_resnet import frames, resnet, resnet_step
from tests.jepa.training.gloo import part, run_in_processes
from tests.jepa.training.toy import CONFIG, PATCHES, toy_clips, toy_trainer

STEPS = 50
SHARES = {2: (11, 5), 3: (4, 7, 5)}
"""How many of the global batch's 16 clips each process holds."""

CASES: dict[str, dict[str, Any]] = {
    "history 1": {},
    "history 2, dropout": {"history": 2, "dropout": 0.3},
    "paper": {"history": 3, "dropout": 0.1, "predictor": "paper"},
    "reference batch": {"options": {"reference_batch": 64, "sigreg": {"directions": 32}}},
    "lejepa": {"objective": "lejepa"},
    "pldm": {"objective": "pldm", "options": {"time_covariance": 0.5, "inverse_dynamics": 0.5}},
    "auxiliary": {"objective": "auxiliary", "options": {"quantity": "place", "quantity_scale": 32}},
    "spectral": {"objective": "spectral", "options": {}},
    "ema": {"objective": "ema", "options": {"momentum": 0.5}},
    "reconstruction": {"objective": "reconstruction", "options": {"doublings": 1, "channels": 8}},
    "frozen": {
        "objective": "frozen",
        "options": {},
        "history": 2,
        "dropout": 0.1,
        "predictor": "tokens",
        "fields": PATCHES,
    },
}
"""What differs from the toy trainer; every objective is here."""


def train(share: slice, precision: str, steps: int = STEPS, **toy: Any) -> dict[str, Tensor]:
    config = TrainConfig.model_validate(CONFIG.model_dump() | {"precision": precision})
    trainer = toy_trainer(config, **toy)
    results = {}
    for step in range(steps):
        clips = toy_clips(16, seed=step)
        figures = trainer.step(
            Clips(clips.pixels_BTHWC[share], clips.action_BTKA[share], {"place": clips.state["place"][share]})
        )
        results |= {
            f"figure/{step}/{name}": torch.tensor(value, dtype=torch.float64) for name, value in figures.items()
        }
    return results | trainer.state().tensors


def train_parts(this_rank: int, sizes: tuple[int, ...], runs: dict[str, int]) -> dict[str, Tensor]:
    start = sum(sizes[:this_rank])
    share, results = slice(start, start + sizes[this_rank]), {}
    for precision, steps in runs.items():
        for case, toy in CASES.items():
            trained = train(share, precision, steps, **toy)
            results |= {f"{precision}/{case}/{name}": tensor for name, tensor in trained.items()}
    return results


def rounding_parts(this_rank: int, *arguments: Any) -> dict[str, Tensor]:
    norms = resnet_step(resnet(), part(frames(), this_rank, (5, 3)))
    return train_parts(this_rank, *arguments) | {f"resnet18/{name}": tensor for name, tensor in norms.items()}


def check_resnet(one: dict[str, Tensor], two: dict[str, Tensor]) -> None:
    """A network full of BatchNorms: features of each share; gradients, which DDP adds up; running statistics."""
    for name, expected in resnet_step(resnet(), frames()).items():
        mine, other = (result[f"resnet18/{name}"] for result in (one, two))
        if name in ("train", "eval"):
            assert torch.allclose(torch.cat([mine, other]), expected, rtol=1e-3, atol=1e-4), name
        elif name.startswith("grad/"):
            assert (mine + other - expected).norm() <= 1e-3 * expected.norm(), name
        else:
            assert torch.equal(mine, other) and torch.allclose(mine, expected, rtol=1e-4, atol=1e-6), name


def check(
    results: list[dict[str, Tensor]], expected: dict[str, Tensor], where: str, close: Callable[..., bool]
) -> None:
    for name, tensor in expected.items():
        mine, *others = (result[f"{where}/{name}"] for result in results)
        assert all(torch.equal(mine, other) for other in others), (where, name)
        assert close(name, mine, tensor), (where, name)


@pytest.mark.slow
@pytest.mark.parametrize("count", SHARES)
def test_many_processes_train_as_one(count: int) -> None:
    """In double precision, where rounding cannot hide a mistake: 50 steps agree to nine digits."""
    results = run_in_processes(train_parts, count, SHARES[count], {"fp64": STEPS})
    for case, toy in CASES.items():
        expected = train(slice(None), "fp64", **toy)
        learned = "predictor.inward" if toy.get("objective") == "frozen" else "projector.hidden"
        weight = f"objective/model.{learned}.weight"
        moved = (expected[weight] - toy_trainer(**toy).state().tensors[weight]).abs().max()
        assert moved > 1e-2, "the steps must move weights by far more than the comparison lets pass"
        check(results, expected, f"fp64/{case}", lambda _, one, two: torch.allclose(one, two, rtol=1e-9, atol=1e-8))


@pytest.mark.slow
def test_rounding_is_all_that_many_processes_add() -> None:
    """AdamW makes full steps of gradients that are rounding alone, so that runs in single precision drift apart.

    Shuffling the clips of a batch in one process does the same to them.
    """
    results = run_in_processes(rounding_parts, 2, SHARES[2], {"fp32": STEPS, "bf16": 3})
    check_resnet(*results)
    for case, toy in CASES.items():

        def near(name: str, one: Tensor, two: Tensor) -> bool:
            first = name.startswith(("figure/0/", "figure/1/"))
            tolerance = 1e-3 if first else 0.1 if name.endswith("/loss") else float("inf")
            return not name.startswith("figure") or torch.allclose(one, two, rtol=tolerance, atol=1e-5)

        check(results, train(slice(None), "fp32", **toy), f"fp32/{case}", near)
        # bfloat16 keeps 8 bits of a number, so equality is that of a few per cent.
        check(
            results,
            train(slice(None), "bf16", 3, **toy),
            f"bf16/{case}",
            lambda name, one, two: not name.endswith("/loss") or torch.allclose(one, two, rtol=0.1, atol=0.02),
        )


def collectives(this_rank: int) -> dict[str, Tensor]:
    x = torch.arange(3.0 + this_rank).requires_grad_()
    mean = global_mean(x.square())
    mean.backward()
    assert x.grad is not None
    count = torch.tensor(global_count(len(x)))
    identity = torch.tensor([rank(), world_size()])
    # One process finds no weights: both stop, or the other would wait for it for ever.
    trainer = toy_trainer(**CASES["frozen"])
    trainer.objective.missing = "no file" if this_rank else None
    with pytest.raises(InputError, match="no file" if this_rank else "by another of the workers"):
        trainer.step(toy_clips(4))
    return {"mean": mean, "grad": x.grad, "count": count, "identity": identity}


@pytest.mark.slow
def test_collectives_count_uneven_parts_right_and_no_process_stops_alone() -> None:
    results = run_in_processes(collectives, 2)
    for this_rank, result in enumerate(results):
        assert float(result["mean"]) == pytest.approx((0 + 1 + 4 + 0 + 1 + 4 + 9) / 7)
        assert result["count"] == 7 and result["identity"].tolist() == [this_rank, 2]
        # The sum of two equal losses: twice 2x / 7.
        assert torch.allclose(result["grad"], 2 * 2 * torch.arange(3.0 + this_rank) / 7)


def test_with_no_process_group_they_are_plain() -> None:
    x = torch.tensor([1.0, 3.0])
    assert world_size() == 1 and rank() == 0 and global_count(5) == 5
    assert all_reduce_sum(x) is x and float(global_mean(x)) == 2.0
