"""Models that somebody else trained: released LeWorldModel weights into the store, and a model of the store back."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from infra.storage import Store, open_store
from infra.version import code_version
from jepa.core.errors import InputError
from jepa.core.input.files import read_file
from jepa.models.import_lewm import export_lewm, import_lewm, read_released_weights, released_config
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.training.recipes import RECIPES
from pipelines.pretrain.imports.config import IMPORTED, ImportLewmConfig
from pipelines.pretrain.imports.target import check_target, taken
from pipelines.store import Dataset, open_dataset, resolve_dataset
from pipelines.store.models.claim import claim_model
from pipelines.store.models.commit import commit_model, weights_of
from pipelines.store.models.manifest import ModelHandle, ModelManifest, read_model
from pipelines.store.models.origin import Origin


def import_weights(config: ImportLewmConfig, store: Store) -> ModelManifest:
    """Makes a model of a file and returns its manifest; the same file in the same words is only looked up.

    Raises:
        InputError: the file, the dataset or the name is wrong; nothing is written.
        InfraError: the store cannot be used.
    """
    data = read_file(f"file {config.file!r}", config.file)
    request = config.request(hashlib.sha256(data).hexdigest())
    handle = ModelHandle(store, config.name)
    held = handle.manifest()
    if held is not None and _same_import(held, request):
        return held
    _check_name_is_free(handle, held)
    origin = Origin(request=request, dataset_ref=resolve_dataset(store, config.dataset or ""))
    dataset = open_dataset(store, origin.dataset_ref)
    model = _fitted(config, data, dataset)
    with claim_model(handle, origin):
        _check_name_is_free(handle, handle.manifest())
        manifest = _manifest(handle, origin, dataset, model)
        card = imported_card(manifest, Path(config.file).name, model)
        return commit_model(handle, manifest, weights_of(model)[0], card)


def _manifest(handle: ModelHandle, origin: Origin, dataset: Dataset, model: WorldModel) -> ModelManifest:
    _, sha256, parameters = weights_of(model)
    return ModelManifest(
        name=handle.name,
        weights_sha256=sha256,
        parameters=parameters,
        recipe=RECIPES.get("lewm").model_copy(update={"model": model.config}),
        request=origin.request,
        dataset=dataset.name,
        dataset_digest=dataset.manifest.plan_digest,
        dataset_ref=origin.dataset_ref,
        world=dataset.world,
        world_options=dict(dataset.world_options),
        run=handle.name,
        code_version=code_version(),
        seconds=0.0,
    )


def export_weights(config: ImportLewmConfig, store: Store) -> WorldModel:
    """Writes a model of the store to a file that was not there, and returns it.

    Raises:
        InputError: the file exists or its suffix is unknown, or the model is missing or not of the released form.
        InfraError: the store or the file's folder cannot be used.
    """
    check_target(config.file)
    path = Path(config.file)
    _, model = read_model(store, config.name)
    data = _bytes(export_lewm(model), path.suffix)
    # A store's write is whole or not at all, and never over what another process put there meanwhile.
    if not open_store(str(path.absolute().parent)).write_if_absent(path.name, data):
        raise taken(config.file)
    return model


def imported_card(manifest: ModelManifest, file: str, model: WorldModel) -> str:
    """Returns where an imported model comes from, and what is not known of it, as Markdown."""
    config, asked = manifest.recipe.model, manifest.request[IMPORTED]
    given = "given at the import" if asked["action_mean"] else f"those of dataset `{manifest.dataset}`, train split"
    return (
        f"# Model {manifest.name}\n\n"
        f"LeWorldModel, {manifest.parameters:,} parameters, trained elsewhere: imported from `{file}` "
        f"(SHA-256 `{asked['sha256']}`) for world `{manifest.world}`.\n\n"
        f"- sees {config.image_size}×{config.image_size} RGB frames, {config.frameskip} actions apart; encoder `vit`\n"
        f"- latent of {config.latent_size} dimensions, predicted from {config.history} frame(s) and a block of "
        f"{config.frameskip} × {config.action_size} actions\n"
        f"- frameskip {config.frameskip} and head size {asked['head_size']} are no part of the file; "
        "they are as given at the import\n"
        f"- actions are z-scored with mean {_listed(model.action_mean)} and standard deviation "
        f"{_listed(model.action_std)}: {given}\n"
        f"- code {manifest.code_version}\n\n"
        "## What is not known\n\n"
        "The file holds weights alone. What data, steps, batch and seed they were trained with is not known: the "
        "recipe in `config.json` is the published one with this model's sizes, and dataset "
        f"`{manifest.dataset}` is the one that the model was fitted to here, not what it learned from. Where the two "
        "differ in their actions, plans suffer; episodes held out here may have been trained on there.\n"
    )


def _fitted(config: ImportLewmConfig, data: bytes, dataset: Dataset) -> WorldModel:
    """Returns the model of a file's bytes, its sizes checked against the dataset's."""
    try:
        tensors = read_released_weights(data, config.prefix)
    except InputError as error:
        raise InputError(f"file {config.file!r}: {error}") from error
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise InputError(f"file {config.file!r}: tensor {name!r} holds values that are not finite; take another")
    sizes = released_config(tensors, config.frameskip, config.head_size)
    _check_sizes(config, sizes, dataset)
    moments = dataset.statistics["action"]
    mean: Sequence[float] = config.action_mean or moments.mean
    std: Sequence[float] = config.action_std or moments.std
    return import_lewm(tensors, sizes, mean, std)


def _check_sizes(config: ImportLewmConfig, sizes: ModelConfig, dataset: Dataset) -> None:
    image_size, action_size = dataset.manifest.image_size[0], len(dataset.statistics["action"].mean)
    if sizes.image_size != image_size:
        raise InputError(
            f"file {config.file!r} holds a model of {sizes.image_size}×{sizes.image_size} frames and dataset "
            f"{dataset.name!r} has {image_size}×{image_size}; collect one at image_size {sizes.image_size}"
        )
    if sizes.action_size != action_size:
        raise InputError(
            f"file {config.file!r} holds a model of {sizes.action_size} values an action at frameskip "
            f"{config.frameskip} and world {dataset.world!r} takes {action_size}; give the frameskip that it was "
            "trained with, or a dataset of its world"
        )
    if config.action_mean and len(config.action_mean) != action_size:
        raise InputError(
            f"action_mean has {len(config.action_mean)} values and an action of world {dataset.world!r} {action_size}; "
            "give as many"
        )


def _same_import(held: ModelManifest, request: dict[str, Any]) -> bool:
    """Returns whether a model was made of the same file in the same words; `d0` alone is any version of it."""
    theirs, ours = (dict(one.get(IMPORTED, {})) for one in (held.request, request))
    named = ours.get("dataset")
    if held.dataset_ref is not None and named in (held.dataset_ref.name, str(held.dataset_ref)):
        theirs["dataset"] = named
    return bool(theirs) and theirs == ours


def _check_name_is_free(model: ModelHandle, held: ModelManifest | None) -> None:
    if held is not None:
        asked = held.request.get(IMPORTED)
        what = f"imported from a file of SHA-256 {asked['sha256'][:12]}…" if asked else "trained here"
        raise InputError(f"model {model.name!r} in {model.store.uri!r} is another one, {what}; choose another name")
    if model.store.list(model.layout.checkpoints):
        raise InputError(
            f"model {model.name!r} in {model.store.uri!r} is a training that has not ended; choose another name"
        )


def _bytes(tensors: dict[str, Tensor], suffix: str) -> bytes:
    if suffix == ".safetensors":
        return save(tensors)
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


def _listed(values: Tensor) -> str:
    return f"({', '.join(f'{value:.4g}' for value in values.tolist())})"
