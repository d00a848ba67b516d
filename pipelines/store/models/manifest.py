"""A trained model in the store: `models/<name>/` with weights, configuration, card and training curve.

`config.json` is written last and names the digest of the weights: a model exists when it does.
"""

import hashlib
import json
from typing import Any, Literal

from pydantic import ValidationError

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.config import Config, digest_of
from jepa.core.errors import InputError
from jepa.models.files import load_model
from jepa.models.world_model import WorldModel
from jepa.training.recipes import Recipe
from pipelines.store.references import ModelRef, check_name, split_model


class ModelManifest(Config):
    """What `config.json` says: the model itself, how it was made, and from what."""

    schema_version: Literal[1] = 1
    name: str
    weights_sha256: str
    """digest of model.safetensors"""
    parameters: int
    recipe: Recipe
    """the model, the objective and the training, all fields resolved"""
    request: dict[str, Any]
    """what was asked for, as given"""
    dataset: str
    dataset_digest: str
    """of the dataset's plan"""
    world: str
    world_options: dict[str, Any]
    run: str
    code_version: str
    seconds: float
    """wall time of the training, resumed parts added up"""

    @property
    def reference(self) -> ModelRef:
        """Returns what names this model by its content: its weights and the configuration that gives them a shape."""
        model = self.recipe.model.model_dump(mode="json")
        return ModelRef(name=self.name, digest=digest_of({"weights": self.weights_sha256, "model": model}))


def check_model_name(name: str) -> str:
    """Returns the name if a folder may be called so.

    Raises:
        InputError: it may not.
    """
    return check_name("model", name)


def model_path(name: str, file: str) -> str:
    """Returns the store's path of a model's file."""
    return f"models/{name}/{file}"


def model_names(store: Store) -> list[str]:
    """Returns the names of all finished models of a store."""
    paths = [path.split("/") for path in store.list("models/")]
    return [parts[1] for parts in paths if len(parts) == 3 and parts[2] == "config.json"]


def find_model(store: Store, name: str) -> ModelManifest | None:
    """Returns the manifest of a finished model, None where there is none.

    Raises:
        InfraError: what lies there is not a manifest that this version reads.
    """
    path = model_path(check_model_name(name), "config.json")
    try:
        return ModelManifest.model_validate_json(store.read(path))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise InfraError(f"{store.address(path)} was not written by this version; train under another name") from error


def read_model(store: Store, name: str) -> tuple[ModelManifest, WorldModel]:
    """Returns a finished model and its manifest, the weights checked against their digest.

    Raises:
        InputError: there is no such model; the message lists those that there are.
        InfraError: its weights are missing or damaged.
    """
    manifest = require_model(store, name)
    address = store.address(model_path(name, "model.safetensors"))
    try:
        weights = store.read(model_path(name, "model.safetensors"))
    except FileNotFoundError as error:
        raise InfraError(f"model {name!r} lacks its weights {address}; train it again under another name") from error
    if hashlib.sha256(weights).hexdigest() != manifest.weights_sha256:
        raise InfraError(f"{address} is damaged: its digest is not that of config.json; train again under another name")
    return manifest, load_model(weights, json.dumps(manifest.recipe.model.model_dump(mode="json")))


def resolve_model(store: Store, text: str) -> ModelRef:
    """Returns the reference that `m0@1a2b3c4d` stands for, or `m0`: the newest weights of that name.

    Raises:
        InputError: there is no such model, or its weights have another digest.
    """
    name, digest = split_model(text)
    manifest = require_model(store, name)
    reference = manifest.reference
    if digest is not None and not reference.digest.startswith(digest):
        raise InputError(f"model {name!r} in {store.uri!r} is {reference}, not {text!r}; choose that one or another")
    return reference


def require_model(store: Store, name: str) -> ModelManifest:
    """Returns the manifest of a finished model.

    Raises:
        InputError: there is no such model; the message lists those that there are.
    """
    manifest = find_model(store, name)
    if manifest is None:
        known = ", ".join(model_names(store)) or "none yet"
        raise InputError(f"model {name!r} is not in store {store.uri!r}; pretrain it, or choose one of: {known}")
    return manifest


def check_same_training(store: Store, held: ModelManifest, wanted: dict[str, Any]) -> None:
    """Passes where a finished model was asked for in the same words.

    Raises:
        InputError: it was not; the message names every field in which the two differ.
    """
    given = held.request
    differing = sorted(field for field in given.keys() | wanted.keys() if given.get(field) != wanted.get(field))
    if differing:
        told = ", ".join(f"{field} {given.get(field)!r} and not {wanted.get(field)!r}" for field in differing)
        raise InputError(
            f"model {held.name!r} in {store.uri!r} was trained with {told}; choose another name or the same values"
        )
