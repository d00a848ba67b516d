"""Heads of a model by name: which there are, reading one, committing one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ValidationError
from safetensors.torch import load, save

from infra.errors import InfraError
from infra.storage import Store
from infra.version import code_version
from jepa.core.config import to_json
from jepa.core.errors import InputError
from jepa.planning.heads.head import Head, HeadSizes
from jepa.planning.heads.registry import HEADS, head_config
from pipelines.store.models.heads.manifest import HeadManifest, HeadRef, HeadRequest, head_card
from pipelines.store.models.layout import FOLDER, ModelLayout
from pipelines.store.references import ModelRef
from pipelines.store.sealed import read_if_there, seal, sha256, unseal


class HeadGoneError(InfraError):
    """A head that something was planned with is gone, or another one lies in its place."""

    final: ClassVar[bool] = True


@dataclass(frozen=True)
class FitFacts:
    """How a fit went."""

    episodes: int
    frames: int
    loss: float
    seconds: float


def head_names(store: Store, model: str) -> list[str]:
    """Returns the names of all heads of a model's name of which anything is there, also of a fit that was cut off."""
    root = ModelLayout(model).heads
    return sorted({path.removeprefix(root).split("/")[0] for path in store.list(root)})


def read_head_manifest(store: Store, model: str, name: str) -> HeadManifest | None:
    """Returns the manifest of a head, None where there is none.

    Raises:
        InfraError: it is damaged.
    """
    path = ModelLayout(model).head(name, "head.json")
    data = read_if_there(store, path)
    if data is None:
        return None
    try:
        manifest = HeadManifest.model_validate_json(unseal(data))
    except (ValidationError, ValueError) as error:
        kind = name.rpartition("-")[0]
        raise InfraError(
            f"{store.address(path)} is damaged; `jepa fit-heads --model {model} --heads {kind} --force`, with the "
            "options that it had, fits the head again"
        ) from error
    if manifest.name != name:
        raise InfraError(f"{store.address(path)} is the manifest of head {manifest.name!r}; delete it")
    return manifest


def heads_of(store: Store, model: str, kind: str | None = None) -> Iterator[HeadManifest]:
    """Yields the heads of all weights of a model's name, of one kind or of all; raises as `read_head_manifest` does."""
    for name in head_names(store, model):
        if kind not in (None, name.rpartition("-")[0]):
            continue
        manifest = read_head_manifest(store, model, name)
        if manifest is not None:
            yield manifest


def resolve_head(store: Store, model: ModelRef, kind: str, name: str | None = None) -> HeadRef:
    """Returns the head of a kind that was fitted on these very weights: the newest, or the one of that name.

    Raises:
        InputError: there is none; where there are some of other weights of the model's name, the message says so.
        InfraError: a manifest is damaged.
    """
    found = [held for held in heads_of(store, model.name, kind) if name in (None, held.name)]
    own = [held for held in found if held.request.model == model]
    if own:
        return max(own, key=lambda held: held.created_at).reference
    asked = repr(name) if name else f"of kind {kind!r}"
    others = sorted({str(held.request.model) for held in found})
    if others:
        raise InputError(
            f"head {asked} was fitted on {', '.join(others)} and not on model {model}; "
            f"fit one by `jepa fit-heads --model {model} --heads {kind}`"
        )
    raise InputError(f"model {model} has no head {asked}; fit one by `jepa fit-heads --model {model} --heads {kind}`")


def read_head(store: Store, model: ModelRef, head: HeadRef) -> Head:
    """Returns a fitted head on the CPU, in evaluation mode.

    Raises:
        HeadGoneError: it is not there any more, or another one is.
        InfraError: its weights are damaged.
    """
    manifest = read_head_manifest(store, model.name, head.name)
    if manifest is None or manifest.reference != head or manifest.request.model != model:
        raise HeadGoneError(f"head {head} of model {model} is gone from store {store.uri!r}; fit it again")
    path = ModelLayout(model.name).head_weights(head.name, manifest.weights_sha256)
    data = read_if_there(store, path)
    if data is None or sha256(data) != manifest.weights_sha256:
        wrong = "lost" if data is None else "damaged"
        raise InfraError(f"{store.address(path)} is {wrong}; {_refit(manifest)} fits it again")
    built = HEADS.get(head.kind)(
        head_config(head.kind, manifest.request.options), HeadSizes.model_validate(manifest.sizes)
    )
    built.load_state_dict(load(data))
    return built.eval()


def _refit(manifest: HeadManifest) -> str:
    """Returns the command that fits a head again, with those of its options that are not the defaults."""
    request = manifest.request
    usual = head_config(request.kind, {}).model_dump(mode="json")
    changed = {name: value for name, value in request.options.items() if usual.get(name) != value}
    options = "".join(f" {request.kind}.{name}={value}" for name, value in sorted(changed.items()))
    given = f" --options{options}" if options else ""
    seed = f" --seed {request.seed}" if request.seed else ""
    return f"`jepa fit-heads --model {request.model} --heads {request.kind}{given}{seed} --force`"


def commit_head(store: Store, request: HeadRequest, head: Head, facts: FitFacts) -> HeadManifest:
    """Writes weights and card, and last the manifest, which takes the place of one that is there."""
    weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in head.state_dict().items()})
    manifest = HeadManifest(
        request=request,
        sizes=head.sizes.model_dump(mode="json"),
        privileged=head.privileged,
        weights_sha256=sha256(weights),
        card_sha256="",
        parameters=sum(parameter.numel() for parameter in head.parameters()),
        episodes=facts.episodes,
        frames=facts.frames,
        loss=facts.loss,
        seconds=facts.seconds,
        code_version=code_version(),
    )
    card = head_card(manifest).encode()
    manifest = manifest.model_copy(update={"card_sha256": sha256(card)})
    layout = ModelLayout(request.model.name)
    store.write(layout.head_weights(manifest.name, manifest.weights_sha256), weights)
    store.write(layout.head(manifest.name, "card.md"), card)
    store.write(layout.head(manifest.name, "head.json"), seal(to_json(manifest)))
    return manifest


def models_with_head(store: Store, name: str) -> list[str]:
    """Returns the models of a store that have a head of that name."""
    paths = (path.split("/") for path in store.list(f"{FOLDER}/"))
    return sorted({parts[1] for parts in paths if len(parts) > 4 and parts[2:4] == ["heads", name]})
