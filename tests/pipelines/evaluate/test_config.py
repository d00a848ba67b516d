"""What may be asked of an evaluation."""

import pytest

from pipelines.evaluate import EvaluateConfig
from tests.pipelines.evaluate.asked import config


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (
            "kinds",
            ["luck"],
            "'luck' is not known; choose one of: decoding, geometry, identifiability, latent, planning, probing",
        ),
        ("kinds", [], "name at least one of"),
        ("protocol", "v0", "protocol 'v0' is not known"),
        ("workers", 0, "greater than 0"),
        ("run", "a b", "pattern"),
        ("device", "tpu", "'auto', 'cpu' or 'cuda'"),
        ("model", "m0@xyz", "model 'm0@xyz' has no digest after '@'; write the first digits of one"),
        ("dataset", "d0@new", "dataset 'd0@new' has no version number after '@'; write e.g. d0@2"),
    ],
)
def test_wrong_fields_are_named(field: str, value: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        config(**{field: value})


@pytest.mark.parametrize(
    ("fields", "workers"),
    [({}, 2), ({"executor": "local"}, 1), ({"executor": "local", "workers": 3}, 3), ({"executor": "ray"}, 2)],
)
def test_this_process_is_one_worker_unless_more_are_asked_for(fields: dict[str, object], workers: int) -> None:
    assert EvaluateConfig.model_validate({"model": "m0", **fields}).workers == workers


def test_a_run_is_named_like_the_model_without_its_digest() -> None:
    assert config(model="m0@1a2b3c4d").run_name == "m0" and config(run="mine").run_name == "mine"
