"""`--seed` decides the weights of model and objective and the draws of the steps of a training job."""

from types import SimpleNamespace
from typing import Any

import torch

from jepa.training.recipes import Recipe
from jepa.training.trainer import Trainer
from pipelines.pretrain.assembly import make_trainer


def trainer_of(seed: int) -> Trainer:
    recipe = Recipe.model_validate(
        {
            "model": {"image_size": 16, "latent_size": 4, "encoder_options": {"channels": (4,)}},
            "objective": "pldm",
            "objective_options": {"inverse_dynamics": 1.0},
            "train": {"seed": seed},
        }
    )
    dataset: Any = SimpleNamespace(statistics={"action": SimpleNamespace(mean=[0.0, 0.0], std=[1.0, 1.0])})
    return make_trainer(recipe, dataset, "cpu")


def test_the_seed_reaches_model_objective_and_steps() -> None:
    one, same, other = (trainer_of(seed) for seed in (3, 3, 4))
    assert (one.objective.seed, other.objective.seed) == (3, 4)
    tensors = [trainer.objective.state_dict() for trainer in (one, same, other)]
    assert all(torch.equal(tensor, tensors[1][name]) for name, tensor in tensors[0].items())
    for part in ("model.projector.out.weight", "inverse.0.weight"):
        assert not torch.equal(tensors[0][part], tensors[2][part]), part
