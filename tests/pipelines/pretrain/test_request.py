"""Whether the same training is asked for again, in other words or in earlier code's."""

import json
from typing import Any

import pytest

from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.pretrain.request import differing_fields, find_trained
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.references import DatasetRef, ModelRef
from tests.pipelines.small_model import small_training

D0 = DatasetRef(name="d0", version=2, digest="ab" * 32)
M0 = ModelRef(name="m0", digest="1a2b3c4d" * 8)


@pytest.mark.parametrize("wanted", ["d0", "d0@2"])
@pytest.mark.parametrize("given", ["d0", "d0@2"])
def test_a_dataset_is_the_same_by_its_name_or_by_its_version(given: str, wanted: str) -> None:
    request = small_training("m1", dataset=given).same_training()
    assert differing_fields(request, (D0, None), small_training("m1", dataset=wanted)) == {}


@pytest.mark.parametrize("wanted", ["d0@1", "d0@20", "d1", "d1@2"])
def test_another_version_or_name_is_another_dataset(wanted: str) -> None:
    request = small_training("m1").same_training()
    differing = differing_fields(request, (D0, None), small_training("m1", dataset=wanted))
    assert differing == {"dataset": ("d0@2", wanted)}


@pytest.mark.parametrize(
    ("wanted", "same"), [("m0", True), ("m0@1a2b", True), ("m0@1a2b3c4d", True), ("m0@1a2c", False), (None, False)]
)
def test_initial_weights_are_the_same_by_name_or_digest(wanted: str | None, same: bool) -> None:
    request = small_training("m1", init_from="m0").same_training()
    differing = differing_fields(request, (D0, M0), small_training("m1", init_from=wanted))
    assert differing == ({} if same else {"init_from": ("m0@1a2b3c4d", wanted)})


def test_steps_and_what_changes_nothing_in_what_is_learned_are_free() -> None:
    request = small_training("m1").same_training()
    free: dict[str, Any] = {"steps": 99, "keep_checkpoints": 5, "trackers": (), "loader": {"threads": 3}}
    assert differing_fields(request, (D0, None), small_training("m1", **free)) == {}


def test_every_other_field_counts() -> None:
    request = small_training("m1").same_training()
    changed: dict[str, Any] = {"recipe": "lewm-tiny", "seed": 3, "loader": {"windows_per_chunk": 4}}
    differing = differing_fields(request, (D0, None), small_training("m1", **changed))
    assert differing.keys() == changed.keys() and differing["seed"] == (0, 3)


def test_fields_that_a_request_of_earlier_code_lacks_have_their_defaults(early_store: Store) -> None:
    request = json.loads(early_store.read("models/golden/config.json"))["request"]
    assert "init_from" not in request
    wanted = small_training("golden", dataset="golden", precision="fp64")
    assert differing_fields(request, (None, None), wanted) == {}
    assert differing_fields({**request, "no_such_field": 1}, (None, None), wanted)["no_such_field"] == (1, None)


def test_a_model_of_earlier_code_is_found_and_its_version_unknown(early_store: Store) -> None:
    model = ModelHandle(early_store, "golden")
    config = small_training("golden", dataset="golden", steps=40, precision="fp64")
    assert find_trained(model, config) == model.require()
    with pytest.raises(InputError, match="was trained with dataset 'golden' and not 'golden@1'"):
        find_trained(model, config.model_copy(update={"dataset": "golden@1"}))
