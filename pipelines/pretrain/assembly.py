"""The parts of a training, each made from the recipe and the dataset."""

import numpy as np
import torch
from torch import Tensor

from infra.storage import Store
from jepa.core.collectives import rank, world_size
from jepa.core.errors import InputError
from jepa.models.world_model import WorldModel
from jepa.objectives import make_objective
from jepa.training.compute import ComputeConfig
from jepa.training.recipes import Recipe
from jepa.training.trainer import Trainer
from pipelines.loader import ClipRequest, Loader, open_loader
from pipelines.pretrain.config import PretrainConfig
from pipelines.store import Dataset
from pipelines.store.models.manifest import read_model
from pipelines.store.references import ModelRef


def resolve_recipe(config: PretrainConfig, dataset: Dataset) -> Recipe:
    """Returns the recipe with all its fields, for the sizes of the dataset."""
    return config.resolve(dataset.manifest.image_size[0], dataset.action_size)


def make_trainer(
    recipe: Recipe,
    dataset: Dataset,
    device: str | torch.device,
    compute: ComputeConfig | None = None,
    weights: dict[str, Tensor] | None = None,
) -> Trainer:
    """Returns a trainer at step 0 whose model knows the statistics of the training split's actions.

    Args:
        recipe: model, objective and training, all fields resolved.
        dataset: what is trained on.
        device: where this process computes.
        compute: how a step is computed.
        weights: that the model starts with; drawn by the recipe's seed where there are none.
    """
    model = WorldModel.from_config(recipe.model, seed=recipe.train.seed)
    if weights is not None:
        model.load_state_dict(weights)
    actions = dataset.statistics["action"]
    model.set_action_statistics(np.asarray(actions.mean), np.asarray(actions.std))
    objective = make_objective(recipe.objective, model, recipe.objective_options, seed=recipe.train.seed)
    return Trainer(objective, recipe.train, device, compute)


def initial_weights(store: Store, reference: ModelRef | None, recipe: Recipe) -> dict[str, Tensor] | None:
    """Returns the weights that a training starts from, if it is to start from another model's.

    Raises:
        InputError: they do not fit the recipe's model; the message names a tensor that differs.
        InfraError: the model is gone, or its weights are damaged.
    """
    if reference is None:
        return None
    theirs = read_model(store, reference)[1].state_dict()
    with torch.device("meta"):
        ours = WorldModel(recipe.model).state_dict()
    for name in sorted(ours.keys() | theirs.keys()):
        shapes = [tuple(held[name].shape) if name in held else "absent" for held in (theirs, ours)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"init_from {str(reference)!r} does not fit: tensor {name!r} is {shapes[0]} there and {shapes[1]} in "
                "the model that is asked for; give recipe and model_options of that model, or leave init_from out"
            )
    return theirs


def make_loader(recipe: Recipe, config: PretrainConfig, dataset: Dataset) -> Loader:
    """Returns this process's loader of the training split."""
    request = ClipRequest(
        dataset=dataset,
        split="train",
        history=recipe.model.history,
        horizon=recipe.train.horizon,
        frameskip=recipe.model.frameskip,
        batch_size=recipe.train.batch_size,
        seed=recipe.train.seed,
        rank=rank(),
        world_size=world_size(),
        config=config.loader,
    )
    return open_loader(request)


def pick_device(wanted: str) -> torch.device:
    """Returns the device of this process; Ray Train shows a GPU worker its own GPU alone."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted)
