"""A model is found by its name or by the digest of its weights, also older weights and those of earlier code."""

import json
import pickle
from typing import Any

import pytest
import torch

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.config import digest_of, to_json
from jepa.core.errors import InputError
from jepa.models.world_model import WorldModel
from jepa.training.recipes import RECIPES
from pipelines.store.models.commit import commit_model, weights_of
from pipelines.store.models.manifest import (
    ModelGoneError,
    ModelHandle,
    ModelManifest,
    Segment,
    find_model,
    read_model,
    require_model,
    resolve_model,
)
from pipelines.store.models.names import model_names
from pipelines.store.references import ModelRef

RECIPE = RECIPES.get("smoke").for_world(32, 2)


def committed(store: Store, seed: int, name: str = "m0", **changes: Any) -> ModelManifest:
    """Commits a model with random weights and returns its manifest."""
    weights, sha256, parameters = weights_of(WorldModel.from_config(RECIPE.model, seed))
    fields: dict[str, Any] = {
        "name": name,
        "weights_sha256": sha256,
        "parameters": parameters,
        "recipe": RECIPE,
        "request": {"seed": seed},
        "dataset": "d0",
        "dataset_digest": "0" * 12,
        "world": "two_room",
        "world_options": {},
        "run": name,
        "code_version": "0",
        "seconds": 1.0,
    }
    return commit_model(ModelHandle(store, name), ModelManifest(**fields | changes), weights, f"# Model {seed}\n")


def first_weight(model: WorldModel) -> torch.Tensor:
    return next(model.parameters())


def test_weights_and_manifest_lie_under_their_digests(store: Store) -> None:
    manifest = committed(store, 1)
    assert store.list("models/m0/") == [
        "models/m0/card.md",
        "models/m0/config.json",
        f"models/m0/digests/{manifest.digest}.json",
        f"models/m0/manifests/{manifest.digest}.json",
        f"models/m0/weights/{manifest.weights_sha256}.safetensors",
    ]
    assert store.read("models/m0/config.json") == store.read(f"models/m0/manifests/{manifest.digest}.json")
    assert find_model(store, "m0") == require_model(store, "m0") == manifest and model_names(store) == ["m0"]


def test_a_digest_is_of_weights_and_shape(store: Store) -> None:
    manifest = committed(store, 1)
    shape = RECIPE.model.model_dump(mode="json")
    content = {"weights": manifest.weights_sha256, "model": shape}
    assert manifest.digest == digest_of(content) and manifest.reference == ModelRef(name="m0", digest=manifest.digest)
    # A field that the model gets one day is in the file, or not; the digest stays.
    document = json.loads(store.read("models/m0/config.json"))
    document["recipe"]["model"].pop("pixel_scaling")
    assert ModelManifest.model_validate(document).digest == manifest.digest
    # Earlier code wrote no digest: it is that of the file's own words, whatever they are called today.
    document.pop("digest")
    shape.pop("pixel_scaling")
    assert ModelManifest.model_validate(document).digest == digest_of(content)


def test_of_two_commits_the_first_stands(store: Store) -> None:
    first = committed(store, 1)
    assert committed(store, 2) == first == find_model(store, "m0")
    assert store.read("models/m0/card.md") == b"# Model 1\n"


def test_older_weights_stay_after_training_went_on(store: Store) -> None:
    first = committed(store, 1)
    second = committed(store, 2, continued_from=first.reference)
    assert find_model(store, "m0") == second and first.digest != second.digest
    assert resolve_model(store, "m0") == second.reference
    assert resolve_model(store, f"m0@{first.digest[:6]}") == first.reference
    for manifest, seed in ((first, 1), (second, 2)):
        held, model = read_model(store, f"m0@{manifest.digest[:12]}")
        assert held == manifest == read_model(store, manifest.reference)[0]
        assert torch.equal(first_weight(model), first_weight(WorldModel.from_config(RECIPE.model, seed)))
    assert ModelHandle(store, "m0").card() == "# Model 2\n"


def test_more_steps_that_moved_no_weight_are_a_new_manifest_of_the_same_model(store: Store) -> None:
    first = committed(store, 1)
    second = committed(store, 1, continued_from=first.reference, seconds=2.0)
    assert second.reference == first.reference and find_model(store, "m0") == second != first
    assert read_model(store, first.reference)[0] == second
    assert store.read("models/m0/config.json") == store.read(f"models/m0/manifests/{first.digest}.json")


def test_what_is_not_there_is_named_with_what_is(store: Store) -> None:
    first = committed(store, 1)
    second = committed(store, 2, continued_from=first.reference)
    with pytest.raises(
        InputError, match=rf"no weights 'm0@0000'; choose one of: {second.reference}, {first.reference}"
    ):
        resolve_model(store, "m0@0000")
    with pytest.raises(InputError, match=r"model 'm1' is not in store .*; pretrain it, or choose one of: m0"):
        read_model(store, "m1@0000")
    with pytest.raises(InputError, match=r"model name '\.\./m0' is not usable"):
        ModelHandle(store, "../m0")
    assert find_model(store, "m1") is None


def test_digits_that_fit_several_are_too_few(store: Store) -> None:
    manifest = committed(store, 1)
    path = f"models/m0/manifests/{manifest.digest[:5]}{'0' * 59}.json"
    store.write(path, to_json(manifest))
    with pytest.raises(InputError, match=r"may be each of .*; give more digits"):
        resolve_model(store, f"m0@{manifest.digest[:5]}")
    assert resolve_model(store, f"m0@{manifest.digest[:20]}") == manifest.reference


def test_a_reference_to_weights_that_are_gone_is_said_so(store: Store) -> None:
    reference = committed(store, 1).reference
    for path in store.list("models/m0/"):
        store.delete(path)
    with pytest.raises(ModelGoneError, match=rf"model {reference} is gone from store .*; train it again"):
        read_model(store, reference)
    committed(store, 2)
    with pytest.raises(ModelGoneError, match=rf"model {reference} is gone"):
        read_model(store, reference)
    assert ModelGoneError.final


@pytest.mark.parametrize(("harm", "sentence"), [("lost", "lacks its weights .*weights/"), ("damaged", "is damaged")])
def test_weights_that_are_not_those_of_the_manifest_are_refused(store: Store, harm: str, sentence: str) -> None:
    committed(store, 1)
    (path,) = store.list("models/m0/weights/")
    if harm == "lost":
        store.delete(path)
    else:
        store.write(path, store.read(path)[:-1] + b"?")
    with pytest.raises(InfraError, match=sentence):
        read_model(store, "m0")


def test_what_is_no_manifest_is_said(store: Store) -> None:
    store.write("models/m0/config.json", b"{}")
    with pytest.raises(InfraError, match=r"config\.json is damaged, or not as this version"):
        find_model(store, "m0")


def test_segments_are_stored_as_from_and_to(store: Store) -> None:
    segments = (Segment.model_validate({"from": 0, "to": 3, "steps": 3}),)
    committed(store, 1, segments=segments)
    assert json.loads(store.read("models/m0/config.json"))["segments"] == [{"from": 0, "to": 3, "steps": 3}]
    assert require_model(store, "m0").segments == segments


def test_a_model_of_earlier_code_is_read(early_store: Store) -> None:
    manifest, model = read_model(early_store, "golden")
    assert (manifest.dataset, manifest.dataset_ref, manifest.segments) == ("golden", None, ())
    document = json.loads(early_store.read("models/golden/config.json"))
    assert manifest.digest == digest_of({"weights": document["weights_sha256"], "model": document["recipe"]["model"]})
    assert sum(parameter.numel() for parameter in model.parameters()) == manifest.parameters
    again = read_model(early_store, str(manifest.reference))[0]
    assert again == manifest == read_model(early_store, manifest.reference)[0]
    early_store.write("models/golden/model.safetensors", b"not the weights")
    with pytest.raises(InfraError, match=r"golden/model\.safetensors is damaged"):
        read_model(early_store, "golden")
    early_store.delete("models/golden/model.safetensors")
    with pytest.raises(InfraError, match="model 'golden' lacks its weights"):
        read_model(early_store, "golden")


def test_a_handle_travels_to_workers(store: Store) -> None:
    manifest = committed(store, 1)
    handle = pickle.loads(pickle.dumps(ModelHandle(open_store(store.uri), "m0")))
    assert handle.require() == manifest and handle.address == store.address("models/m0")
    assert ModelHandle(store, "m1").card() is None


def test_the_official_tools_read_the_weights(tmp_path: Any) -> None:
    """The two lines of pipelines/store/README.md."""
    import safetensors.torch

    committed(open_store(str(tmp_path / "runs")), 1)
    folder = f"{tmp_path}/runs/models/m0"
    with open(f"{folder}/config.json") as file:
        manifest = json.load(file)
    weights = safetensors.torch.load_file(f"{folder}/weights/{manifest['weights_sha256']}.safetensors")
    assert weights.keys() == WorldModel.from_config(RECIPE.model).state_dict().keys()
