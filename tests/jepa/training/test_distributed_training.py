"""Every objective trained by several real gloo processes is that trained by one: figures, weights, running statistics.

A case is a test, so that `-k pldm` runs one objective; the processes start once for all the cases of a session.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from jepa.core.clips import Clips
from jepa.core.collectives import all_reduce_sum, global_count, global_mean, rank, world_size
from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.objectives import OBJECTIVES
from jepa.objectives.objective import Objective
from jepa.training.trainer import TrainConfig
from tests.jepa.models.test_resnet import frames, resnet, resnet_step
from tests.jepa.training.gloo import part, run_in_processes
from tests.jepa.training.toy import CONFIG, PATCHES, toy_clips, toy_trainer

STEPS = 50
SHARES = {2: (11, 5), 3: (4, 7, 5)}
"""How many of the global batch's 16 clips each process holds."""
APART = 1e-9
"""How far weights may lie from those of one process, in units of the size of all weights together."""
FIGURES_APART = 1e-6
"""The same of a figure and of the optimiser's moments, in units of their own size: both follow from small gradients."""

CASES: dict[str, dict[str, Any]] = {
    "history 1": {},
    "history 2, dropout": {"history": 2, "dropout": 0.3},
    "paper": {"history": 3, "dropout": 0.1, "predictor": "paper"},
    "reference batch": {"options": {"reference_batch": 64, "sigreg": {"directions": 32}}},
    "open loop": {
        "history": 2,
        "dropout": 0.3,
        "options": {"open_loop_horizons": 2, "sigreg": {"directions": 32}},
    },
    "joint head": {
        "history": 2,
        "dropout": 0.3,
        "options": {
            "joint_head": "reachable",
            "joint_head_options": {"width": 8, "depth": 1, "batch_size": 32},
            "sigreg": {"directions": 32},
        },
    },
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


WRONG: dict[str, dict[str, Any]] = {"mean of means": {"objective": "mean of means", "options": {}}}
"""Equal in all processes, and yet another loss than that of the global batch: the comparison has to see it."""


class MeanOfMeans(Objective):
    """Averages the processes' own means, as if all of them held equally many clips."""

    Config = Config

    def forward(self, clips: Clips, step: int, total_steps: int, diagnostics: bool = True) -> dict[str, Tensor]:
        z_BTD = self.model.encode(clips.pixels_BTHWC)
        error = (self.model.predict(z_BTD[:, :-1], clips.action_BTKA) - z_BTD[:, 1:]).square().mean()
        return {"loss": all_reduce_sum(error) / world_size()}


@contextmanager
def mean_of_means() -> Iterator[None]:
    OBJECTIVES._entries["mean of means"] = MeanOfMeans
    yield
    del OBJECTIVES._entries["mean of means"]


def train(case: str, share: slice, precision: str, steps: int) -> dict[str, Tensor]:
    """Returns the figures of every step, and the last weights, statistics and moments."""
    config = TrainConfig.model_validate(CONFIG.model_dump() | {"precision": precision})
    with mean_of_means():
        trainer = toy_trainer(config, **(CASES | WRONG)[case])
    results: dict[str, Tensor] = {}
    for step in range(steps):
        clips = toy_clips(16, seed=step)
        figures = trainer.step(
            Clips(clips.pixels_BTHWC[share], clips.action_BTKA[share], {"place": clips.state["place"][share]})
        )
        results |= {
            f"figure/{step}/{name}": torch.tensor(value, dtype=torch.float64) for name, value in figures.items()
        }
    return results | trainer.state().tensors


@cache
def by_one(case: str, precision: str, steps: int) -> dict[str, Tensor]:
    """Returns what one process makes of the whole batches."""
    return train(case, slice(None), precision, steps)


def train_parts(
    this_rank: int, sizes: tuple[int, ...], cases: list[str], runs: dict[str, int], with_resnet: bool = False
) -> dict[str, Tensor]:
    """Returns what this process makes of its share of each case, and of a network full of BatchNorms."""
    start = sum(sizes[:this_rank])
    share = slice(start, start + sizes[this_rank])
    results: dict[str, Tensor] = {}
    for precision, steps in runs.items():
        for case in cases:
            trained = train(case, share, precision, steps)
            results |= {f"{precision}/{case}/{name}": tensor for name, tensor in trained.items()}
    if with_resnet:
        norms = resnet_step(resnet(), part(frames(), this_rank, (5, 3)))
        results |= {f"resnet18/{name}": tensor for name, tensor in norms.items()}
    return results


Results = list[dict[str, Tensor]]
Apart = Callable[..., Results]


@pytest.fixture(scope="session")
def apart(request: pytest.FixtureRequest) -> Apart:
    """Returns what each of several processes makes of the cases that the session asks for."""
    here = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    asked = {str(params.get("case")) for params in here} | set(WRONG)
    cases = [case for case in CASES | WRONG if case in asked]

    @cache
    def run(count: int, rounding: bool = False) -> Results:
        runs = {"fp32": STEPS, "bf16": 3} if rounding else {"fp64": STEPS}
        return run_in_processes(train_parts, count, SHARES[count], cases, runs, rounding)

    return run


def size(tensors: dict[str, Tensor], start: str) -> float:
    """Returns the norm of all tensors together whose names begin so."""
    return float(sum(t.double().square().sum() for name, t in tensors.items() if name.startswith(start)) ** 0.5)


def check(results: Results, one: dict[str, Tensor], where: str, allowed: Callable[[str], float]) -> None:
    """Passes where all processes hold the same, no further from what one makes than is allowed; shows both values."""
    for name, expected in one.items():
        mine, *others = (result[f"{where}/{name}"].double() for result in results)
        for other in others:
            assert torch.equal(mine, other), f"{where}: {name} differs between processes: {furthest_apart(mine, other)}"
        distance = float((mine - expected.double()).norm())
        assert distance <= allowed(name), (
            f"{where}: {name} is {distance:.2e} from one process's, where {allowed(name):.2e} is allowed: "
            f"{furthest_apart(mine, expected.double())}"
        )


def furthest_apart(mine: Tensor, other: Tensor) -> str:
    """Returns the two values that lie furthest apart."""
    place = int((mine - other).abs().argmax())
    return f"{mine.flatten()[place].item()!r} and {other.flatten()[place].item()!r}"


def allowed_of(one: dict[str, Tensor]) -> Callable[[str], float]:
    """Returns how far a figure, a weight or a moment may lie from one process's in double precision."""
    weights = size(one, "objective/")
    moments = {key: size(one, f"optimizer/{key}/") for key in ("step", "exp_avg", "exp_avg_sq")}

    def allowed(name: str) -> float:
        kind, key, *_ = name.split("/")
        if kind == "objective":
            return APART * weights
        if kind == "figure":
            return FIGURES_APART * abs(float(one[name])) + APART * weights
        return FIGURES_APART * moments[key]

    return allowed


def test_every_objective_has_a_case() -> None:
    assert {toy.get("objective", "lewm") for toy in CASES.values()} == set(OBJECTIVES)


@pytest.mark.slow
@pytest.mark.parametrize("count", SHARES)
@pytest.mark.parametrize("case", CASES)
def test_many_processes_train_as_one(case: str, count: int, apart: Apart) -> None:
    """In double precision, where rounding cannot hide a mistake."""
    one = by_one(case, "fp64", STEPS)
    start = toy_trainer(**CASES[case]).state().tensors
    moved = size({name: one[name] - start[name] for name in start if name.startswith("objective/")}, "objective/")
    assert moved > 1e-2 * size(one, "objective/"), "the steps must move weights by far more than may pass unseen"
    check(apart(count), one, f"fp64/{case}", allowed_of(one))


@pytest.mark.slow
@pytest.mark.parametrize("count", SHARES)
def test_a_loss_that_is_not_the_global_batch_s_is_found(count: int, apart: Apart) -> None:
    one = by_one("mean of means", "fp64", STEPS)
    with pytest.raises(AssertionError, match=r"figure/0/loss is .* from one process's.*: 0\.\d+ and 0\.\d+"):
        check(apart(count), one, "fp64/mean of means", allowed_of(one))
    weights = {name: tensor for name, tensor in one.items() if name.startswith("objective/")}
    with pytest.raises(AssertionError, match="objective/model"):
        check(apart(count), weights, "fp64/mean of means", lambda name: 1e4 * allowed_of(one)(name))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_rounding_is_all_that_many_processes_add(case: str, apart: Apart) -> None:
    """AdamW makes full steps of gradients that are rounding alone, so that runs in single precision drift apart.

    Shuffling the clips of a batch in one process does the same to them. bfloat16 keeps 8 bits of a number, so equality
    is that of a few per cent.
    """
    single, half = by_one(case, "fp32", STEPS), by_one(case, "bf16", 3)

    def near(name: str) -> float:
        if not name.startswith("figure"):
            return float("inf")
        step = int(name.split("/")[1])
        # What has drifted drifts on: late in a run a loss says little more than that it is of the same size.
        late = 0.1 if step < STEPS // 2 else 0.5
        tolerance = 1e-3 if step < 2 else late if name.endswith("/loss") else float("inf")
        return tolerance * abs(float(single[name])) + 1e-5

    def roughly(name: str) -> float:
        return 0.1 * abs(float(half[name])) + 0.02 if name.endswith("/loss") else float("inf")

    check(apart(2, rounding=True), single, f"fp32/{case}", near)
    check(apart(2, rounding=True), half, f"bf16/{case}", roughly)


@pytest.mark.slow
def test_a_network_full_of_batch_norms_trains_as_one(apart: Apart) -> None:
    check_resnet(*apart(2, rounding=True))


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
