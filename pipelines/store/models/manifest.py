"""A trained model in the store: `models/<name>/` with weights, manifest, card and training curve.

`config.json` is written last and names the digest of the weights: a model exists when it does. It is the newest
manifest; each one also stays under the model's digest, so that `m0@1a2b` opens older weights after training went on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.config import Config, digest_of
from jepa.core.errors import InputError
from jepa.models.files import load_model
from jepa.models.world_model import WorldModel
from jepa.training.recipes import Recipe
from pipelines.store.models.digests import check_manifest, read_digests
from pipelines.store.models.layout import ModelLayout
from pipelines.store.models.names import missing_model, recorded_digests
from pipelines.store.references import DatasetRef, ModelRef, check_name, split_model
from pipelines.store.sealed import read_if_there, sha256


class Segment(Config):
    """A stretch of a training whose schedules were those of a run of `steps` steps."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    start: int = Field(alias="from")
    """Steps that were done before it."""
    end: int = Field(alias="to")
    steps: int


class ModelManifest(Config):
    """What `config.json` says: the model itself, how it was made, and from what."""

    schema_version: Literal[1] = 1
    name: str
    weights_sha256: str
    """digest of the weights' bytes, under which they are stored"""
    digest: str = ""
    """of the model: its weights and the configuration that gives them a shape; always filled in"""
    parameters: int
    recipe: Recipe
    """the model, the objective and the training, all fields resolved"""
    request: dict[str, Any]
    """what was asked for, as given"""
    dataset: str
    dataset_digest: str
    """of the dataset's plan"""
    dataset_ref: DatasetRef | None = None
    """the version that was trained on; none in models of earlier code, which did not record it"""
    init_from: ModelRef | None = None
    """the model whose weights the training started from"""
    continued_from: ModelRef | None = None
    """the weights of this name that the training went on from, with more steps"""
    segments: tuple[Segment, ...] = ()
    """one for each number of steps that was asked for in turn; none in models of earlier code, or not trained here"""
    world: str
    world_options: dict[str, Any]
    run: str
    code_version: str
    seconds: float
    """wall time of the training, resumed parts added up"""

    @model_validator(mode="before")
    @classmethod
    def _fill_in_digest(cls, value: Any) -> Any:
        """Names the content as it is stored: a field that the model gets one day gives old ones no other digest."""
        if not isinstance(value, Mapping) or value.get("digest"):
            return value
        weights, recipe = value.get("weights_sha256"), value.get("recipe")
        if isinstance(recipe, Recipe):
            recipe = {"model": recipe.model.model_dump(mode="json")}
        if not isinstance(recipe, Mapping):
            return value
        return {**value, "digest": digest_of({"weights": weights, "model": recipe.get("model")})}

    @property
    def reference(self) -> ModelRef:
        """Returns what names this model by its content."""
        return ModelRef(name=self.name, digest=self.digest)


class ModelGoneError(InfraError):
    """Weights that something was made from are gone."""

    final: ClassVar[bool] = True


@dataclass(frozen=True)
class ModelHandle:
    """A model's name in a store, whether it is there or not; small, and travels to workers."""

    store: Store
    name: str

    def __post_init__(self) -> None:
        check_name("model", self.name)

    @property
    def layout(self) -> ModelLayout:
        """Returns the paths of the model within its store."""
        return ModelLayout(self.name)

    @property
    def address(self) -> str:
        """Returns where the model is, for people."""
        return self.store.address(self.layout.root)

    def manifest(self, digest: str | None = None) -> ModelManifest | None:
        """Returns the newest manifest, or the one whose digest begins so; None where there is none.

        Raises:
            InputError: several begin so.
            InfraError: what lies there is not a manifest that this version reads.
        """
        newest = self._read(self.layout.config)
        if newest is None or digest in (None, newest.digest):
            return newest
        found = [known for known in self.digests(newest) if known.startswith(digest or "")]
        if len(found) > 1:
            listed = ", ".join(f"{self.name}@{known[:16]}" for known in found)
            raise InputError(f"model '{self.name}@{digest}' may be each of {listed}; give more digits")
        if found in ([], [newest.digest]):
            return newest if found else None
        manifest = self._read(self.layout.manifest(found[0]))
        if manifest is None:
            path = self.store.address(self.layout.manifest(found[0]))
            raise InfraError(f"{path} is lost; `jepa verify {self.name} --repair` restores it if a copy is whole")
        return manifest

    def digests(self, newest: ModelManifest) -> list[str]:
        """Returns the digests of all weights of this name, the newest first."""
        return [newest.digest, *sorted(self.recorded() - {newest.digest})]

    def recorded(self) -> set[str]:
        """Returns the digests of all weights whose manifest is there, or was committed."""
        return recorded_digests(self.store, self.layout)

    def require(self, digest: str | None = None) -> ModelManifest:
        """Returns the newest manifest, or the one whose digest begins so.

        Raises:
            InputError: there is no such model; the message lists those that there are.
            InfraError: what lies there is not a manifest that this version reads.
        """
        manifest = self.manifest(digest)
        if manifest is not None:
            return manifest
        newest = self.manifest() if digest is not None else None
        if newest is not None:
            listed = ", ".join(str(ModelRef(name=self.name, digest=known)) for known in self.digests(newest))
            raise InputError(
                f"model {self.name!r} in {self.store.uri!r} has no weights '{self.name}@{digest}'; "
                f"choose one of: {listed}"
            )
        if self.recorded():
            raise InfraError(
                f"{self.store.address(self.layout.config)} is lost, or its training was cut off at its very end; "
                f"`jepa verify {self.name} --repair` restores it"
            )
        raise missing_model(self.store, self.name)

    def weights(self, manifest: ModelManifest) -> bytes:
        """Returns the weights of one of this name's manifests, as safetensors, checked against their digest.

        Raises:
            InfraError: they are missing or damaged.
        """
        path = self.layout.weights(manifest.weights_sha256)
        try:
            data = self.store.read(path)
        except FileNotFoundError:
            data, path = self._early_weights(path), self.layout.early_weights
        if sha256(data) != manifest.weights_sha256:
            raise InfraError(
                f"{self.store.address(path)} is damaged: its digest is not that of the manifest; "
                "train it again under another name"
            )
        return data

    def card(self) -> str | None:
        """Returns the card as Markdown, None where there is none.

        Raises:
            InfraError: it is lost or damaged.
        """
        newest = self.manifest()
        digests = None if newest is None else read_digests(self.store, self.layout, newest.digest)
        data = read_if_there(self.store, self.layout.card)
        if digests is not None and (data is None or sha256(data) != digests.card):
            wrong = "lost" if data is None else "damaged"
            raise InfraError(f"{self.store.address(self.layout.card)} is {wrong}; `jepa verify {self.name} --repair`")
        return None if data is None else data.decode("utf-8", errors="replace")

    def _early_weights(self, wanted: str) -> bytes:
        try:
            return self.store.read(self.layout.early_weights)
        except FileNotFoundError as error:
            raise InfraError(
                f"model {self.name!r} lacks its weights {self.store.address(wanted)}; train it again under another name"
            ) from error

    def _read(self, path: str) -> ModelManifest | None:
        data = read_if_there(self.store, path)
        if data is None:
            return None
        try:
            manifest = ModelManifest.model_validate_json(data)
        except ValidationError as error:
            raise InfraError(
                f"{self.store.address(path)} is damaged, or not as this version writes it; "
                f"`jepa verify {self.name} --repair` restores it if a copy is whole"
            ) from error
        named = path.removeprefix(self.layout.manifests).removesuffix(".json")
        check_manifest(self.store, self.layout, path, manifest.digest if path == self.layout.config else named, data)
        return manifest


def find_model(store: Store, name: str) -> ModelManifest | None:
    """Returns the newest manifest of a finished model, None where there is none; raises as `ModelHandle.manifest`."""
    return ModelHandle(store, name).manifest()


def require_model(store: Store, name: str) -> ModelManifest:
    """Returns the newest manifest of a finished model; raises as `ModelHandle.require`."""
    return ModelHandle(store, name).require()


def resolve_model(store: Store, text: str) -> ModelRef:
    """Returns the reference that `m0@1a2b3c4d` stands for, or `m0`: the newest weights of that name.

    Raises:
        InputError: there is no such model, or no weights of that digest.
    """
    name, digest = split_model(text)
    return ModelHandle(store, name).require(digest).reference


def read_model(store: Store, model: str | ModelRef) -> tuple[ModelManifest, WorldModel]:
    """Returns a finished model and its manifest, the weights checked against their digest.

    Args:
        store: where it is.
        model: `m0`, the newest weights of that name; `m0@1a2b3c4d`; or a reference.

    Raises:
        InputError: there is no model of that name; the message lists those that there are.
        ModelGoneError: the weights that a reference was resolved to are gone.
        InfraError: its weights are missing or damaged.
    """
    if isinstance(model, ModelRef):
        handle = ModelHandle(store, model.name)
        manifest = handle.manifest(model.digest)
        if manifest is None:
            raise ModelGoneError(f"model {model} is gone from store {store.uri!r}; train it again, or choose another")
    else:
        name, digest = split_model(model)
        handle = ModelHandle(store, name)
        manifest = handle.require(digest)
    weights = handle.weights(manifest)
    return manifest, load_model(weights, json.dumps(manifest.recipe.model.model_dump(mode="json")))
