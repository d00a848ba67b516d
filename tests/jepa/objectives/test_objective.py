"""What all objectives share: a loss that trains every weight they own, and draws that the run's seed decides."""

from typing import Any

import pytest
import torch
from torch import Tensor

from jepa.models.world_model import WorldModel
from jepa.objectives import OBJECTIVES, make_objective
from jepa.training.trainer import TrainConfig
from tests.jepa.models.test_world_model import make_model, shake
from tests.jepa.training.toy import CONFIG, toy_clips, toy_trainer
from tests.narrow import present

OPTIONS: dict[str, dict[str, Any]] = {
    "lewm": {"sigreg": {"directions": 8}},
    "lejepa": {"sigreg": {"directions": 8}},
    "pldm": {"inverse_dynamics": 1.0},
    "auxiliary": {"quantity": "place", "quantity_scale": 32.0},
    "spectral": {},
    "ema": {},
    "reconstruction": {"doublings": 2, "channels": 4},
}
"""Of every objective that trains an encoder; `test_frozen.py` is about the one that does not."""
HEADS: dict[str, tuple[dict[str, Any], str]] = {
    "pldm": ({"inverse_dynamics": 1.0}, "inverse.0.weight"),
    "auxiliary": ({"quantity": "place"}, "head.0.weight"),
    "reconstruction": ({"doublings": 1, "channels": 4}, "decoder.layers.0.weight"),
}
"""Objectives that add weights to the model, each with one of them."""


def test_every_objective_is_here() -> None:
    assert OPTIONS.keys() | {"frozen"} == set(OBJECTIVES)


@pytest.mark.parametrize("name", OPTIONS)
def test_each_gives_a_loss_that_trains_every_weight_it_owns(name: str) -> None:
    objective = make_objective(name, shake(make_model(2)), OPTIONS[name]).train()
    terms = objective(toy_clips(8), 0, 10)
    assert {"latent_std", "sigreg"} <= terms.keys() and not any(
        term.requires_grad for key, term in terms.items() if key != "loss"
    )
    terms["loss"].backward()
    for weight, parameter in objective.named_parameters():
        assert not parameter.requires_grad or parameter.grad is not None, weight
    assert any(present(parameter.grad).abs().max() > 0 for parameter in objective.model.encoder.parameters())


@pytest.mark.parametrize("name", ["auxiliary", "reconstruction", "pldm"])
def test_training_lowers_the_loss(name: str) -> None:
    trainer = toy_trainer(objective=name, options=OPTIONS[name])
    losses = [trainer.step(toy_clips(16, seed=step))["loss"] for step in range(30)]
    # Means of five steps: a single figure moves with its clips, and with how a machine rounds.
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def weights(name: str, seed: int) -> dict[str, Tensor]:
    torch.rand(3)  # another draw before: nothing may depend on it
    model: WorldModel = make_model(2)
    return make_objective(name, model, HEADS[name][0], seed).state_dict()


@pytest.mark.parametrize("name", HEADS)
def test_a_seed_decides_what_is_added_to_the_model(name: str) -> None:
    one, same, other = weights(name, 1), weights(name, 1), weights(name, 2)
    assert all(torch.equal(tensor, same[key]) for key, tensor in one.items())
    head = HEADS[name][1]
    assert not torch.equal(one[head], other[head])
    model = "model.projector.out.weight"
    assert torch.equal(one[model], other[model]), "the model was the caller's"


def losses(seed: int, **toy: Any) -> list[float]:
    """Returns the losses of a run with this seed, from equal weights and on equal clips; what differs is drawn."""
    trainer = toy_trainer(TrainConfig.model_validate(CONFIG.model_dump() | {"seed": seed}), **toy)
    return [trainer.step(toy_clips(16))["loss"] for _ in range(4)]


@pytest.mark.parametrize("toy", [{}, {"objective": "lejepa"}], ids=["lewm", "lejepa"])
def test_a_seed_decides_the_directions_of_sigreg(toy: dict[str, Any]) -> None:
    one, other = losses(1, **toy), losses(2, **toy)
    assert one == losses(1, **toy) and one[0] != other[0]


def test_a_seed_decides_what_dropout_drops() -> None:
    toy = {"objective": "spectral", "options": {}, "history": 2}
    one, other = losses(1, dropout=0.4, **toy), losses(2, dropout=0.4, **toy)
    # Untrained transformer blocks are the identity: what they drop shows after a few steps.
    assert one == losses(1, dropout=0.4, **toy) and one[0] == other[0] and one[3] != other[3]
    assert losses(1, **toy) == losses(2, **toy), "nothing else of this objective's step is drawn"
