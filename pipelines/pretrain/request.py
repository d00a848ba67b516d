"""What a training was asked for, and whether the same name is now asked for something else.

A dataset or a model that is named without a version means the one that the training began with: that a dataset grew
since is no other request. The number of steps may grow.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from jepa.core.errors import InputError
from pipelines.pretrain.config import PretrainConfig
from pipelines.pretrain.imports.config import IMPORTED
from pipelines.store.models.manifest import ModelHandle, ModelManifest
from pipelines.store.models.origin import Origin
from pipelines.store.references import DatasetRef, ModelRef


def find_trained(model: ModelHandle, config: PretrainConfig) -> ModelManifest | None:
    """Returns the manifest of a model that was trained as is asked for; None where there is something left to train.

    Raises:
        InputError: the name holds another model; the message names every field in which the two differ.
    """
    held = model.manifest()
    if held is None:
        return None
    if IMPORTED in held.request:
        raise InputError(f"model {model.name!r} in {model.store.uri!r} was imported, not trained; choose another name")
    sources = (held.dataset_ref, held.init_from)
    check_same_request(model, held.request, sources, held.recipe.train.steps, config)
    return held if held.recipe.train.steps == config.total_steps else None


def check_same_origin(model: ModelHandle, origin: Origin, config: PretrainConfig) -> None:
    """Passes where an unfinished training is asked for again, perhaps with more steps; raises as `find_trained`."""
    sources = (origin.dataset_ref, origin.init_from)
    check_same_request(model, origin.request, sources, _total_steps(origin.request, config), config)


def check_same_request(
    model: ModelHandle,
    request: Mapping[str, Any],
    sources: tuple[DatasetRef | None, ModelRef | None],
    steps: int,
    config: PretrainConfig,
) -> None:
    """Passes where a training is asked for again in the same words, perhaps with more steps.

    Args:
        model: the name.
        request: what it was asked for.
        sources: the dataset and the initial model that this was resolved to.
        steps: that it was asked for.
        config: what is asked for this time.

    Raises:
        InputError: it is another one; the message names every field in which the two differ.
    """
    differing = differing_fields(request, sources, config)
    if differing:
        listed = ", ".join(f"{field} {held!r} and not {wanted!r}" for field, (held, wanted) in differing.items())
        raise InputError(
            f"model {model.name!r} in {model.store.uri!r} was trained with {listed}; choose another name or the same "
            "values"
        )
    if config.total_steps < steps:
        raise InputError(
            f"model {model.name!r} in {model.store.uri!r} was trained under a schedule of {steps} steps and steps is "
            f"{config.total_steps}, but steps only grow; ask for {steps} or more, or choose another name"
        )


def differing_fields(
    request: Mapping[str, Any], sources: tuple[DatasetRef | None, ModelRef | None], config: PretrainConfig
) -> dict[str, tuple[Any, Any]]:
    """Returns what was asked for and what is asked for this time, by each field but `steps` in which the two differ."""
    held, wanted = _in_todays_words(request), config.same_training()
    fields = sorted((held.keys() | wanted.keys()) - {"steps"})
    pairs = {field: (held.get(field), wanted.get(field)) for field in fields}
    differing = {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}
    for field, source in zip(("dataset", "init_from"), sources, strict=True):
        if source is not None and _means(wanted.get(field), source):
            differing.pop(field, None)
        elif source is not None:
            differing[field] = (str(source), wanted.get(field))
    return differing


def _means(text: str | None, source: DatasetRef | ModelRef) -> bool:
    """Returns whether `d0` or `d0@2`, `m0` or `m0@1a2b`, may stand for what a source was resolved to."""
    name, at, version = (text or "").partition("@")
    if name != source.name:
        return False
    if isinstance(source, DatasetRef):
        return not at or version == str(source.version)
    return source.digest.startswith(version)


def _in_todays_words(request: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a request with the names and defaults that fields have now."""
    try:
        return PretrainConfig.model_validate(dict(request)).same_training()
    except (InputError, ValidationError):
        return dict(request)  # it names what is not there any more; the difference will be said


def _total_steps(request: Mapping[str, Any], config: PretrainConfig) -> int:
    """Returns the number of steps that was asked for; the recipe's is the same, or `differing_fields` says so."""
    return int(request.get("steps") or config.model_copy(update={"steps": None}).total_steps)
