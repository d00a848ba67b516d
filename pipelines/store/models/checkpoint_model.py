"""Checkpoints as models: the weights that a training had after some steps, named by their content as any model is."""

import json

from safetensors.torch import save

from infra.storage import Store
from jepa.core.config import digest_of
from jepa.core.errors import InputError
from jepa.models.files import load_model
from jepa.models.world_model import WorldModel
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.commit import weights_of
from pipelines.store.models.manifest import ModelGoneError, ModelHandle
from pipelines.store.references import ModelRef

PREFIX = "objective/model."
"""What the names of a model's weights begin with in a training's state."""


def checkpoint_steps(store: Store, name: str, asked: tuple[str, ...]) -> list[int]:
    """Returns the steps that were asked for by number, or by `all`, of a model's checkpoints, ascending.

    Raises:
        InputError: there are none, or one is not there; the message lists those that are.
    """
    there = Checkpoints(ModelHandle(store, name)).steps()
    if "all" in asked and there:
        return there
    listed = f"it has those of steps {', '.join(map(str, there))}" if there else "it has none"
    remedy = "keep some by `jepa pretrain --keep-every 500`"
    if "all" in asked:
        raise InputError(f"checkpoints of model {name!r} are asked for and {listed}; {remedy}")
    if missing := [step for step in asked if int(step) not in there]:
        raise InputError(f"model {name!r} has no checkpoint of step {missing[0]}; {listed}; {remedy}")
    return sorted({int(step) for step in asked})


def checkpoint_reference(store: Store, name: str, step: int) -> ModelRef:
    """Returns what names the weights of a checkpoint: what a model of these weights would be called.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        return _read(store, name, step)[0]
    except InputError as error:
        whole = [str(other) for other in Checkpoints(ModelHandle(store, name)).steps() if other != step]
        remedy = f"leave it out, e.g. `--checkpoints {' '.join(whole)}`" if whole else "train again"
        raise InputError(f"checkpoint of step {step} of model {name!r} is missing or damaged; {remedy}") from error


def read_checkpoint_model(store: Store, reference: ModelRef, step: int) -> WorldModel:
    """Returns the model of a checkpoint on the CPU, in evaluation mode.

    Raises:
        ModelGoneError: it is gone, or others lie in its place.
    """
    try:
        found, model = _read(store, reference.name, step)
    except InputError as error:
        raise ModelGoneError(f"checkpoint {step} of model {reference} is gone: {error}") from error
    if found != reference:
        raise ModelGoneError(f"checkpoint {step} of model {reference.name!r} holds {found} now and not {reference}")
    return model


def _read(store: Store, name: str, step: int) -> tuple[ModelRef, WorldModel]:
    """Returns the model and what names it, both from the training's state."""
    state = Checkpoints(ModelHandle(store, name)).load(step).state
    tensors = {key.removeprefix(PREFIX): value for key, value in state.tensors.items() if key.startswith(PREFIX)}
    model = load_model(save(tensors), json.dumps(state.meta["model"]))
    _, digest, _ = weights_of(model)
    return ModelRef(name=name, digest=digest_of({"weights": digest, "model": state.meta["model"]})), model
