"""A user's fields over a recipe's: what wins, what goes with what, and what is decided elsewhere."""

import pytest

from jepa.core.errors import InputError
from jepa.models.world_model import ModelConfig
from jepa.training.trainer import TrainConfig
from pipelines.pretrain.overrides import DECIDED, merged, overriding


def test_above_wins_and_inner_mappings_are_merged() -> None:
    below = {"a": 1, "inner": {"x": 1, "y": {"deep": 1}}, "list": [1]}
    assert merged(below, {"a": 2, "inner": {"y": {"other": 2}}, "list": [2], "new": 3}) == {
        "a": 2,
        "inner": {"x": 1, "y": {"deep": 1, "other": 2}},
        "list": [2],
        "new": 3,
    }
    assert below == {"a": 1, "inner": {"x": 1, "y": {"deep": 1}}, "list": [1]}


def test_a_value_takes_the_place_of_a_mapping_and_the_other_way_round() -> None:
    assert merged({"a": {"x": 1}}, {"a": 2}) == {"a": 2} and merged({"a": 2}, {"a": {"x": 1}}) == {"a": {"x": 1}}


def test_options_go_with_the_name_that_picked_what_they_are_of() -> None:
    below = {"encoder": "conv", "encoder_options": {"channels": [8]}}
    assert merged(below, {"encoder_options": {"grid_size": 4}}) == {
        "encoder": "conv",
        "encoder_options": {"channels": [8], "grid_size": 4},
    }
    assert merged(below, {"encoder": "conv"}) == below
    assert merged(below, {"encoder": "vit"}) == {"encoder": "vit"}
    assert merged(below, {"encoder": "vit", "encoder_options": {"depth": 1}}) == {
        "encoder": "vit",
        "encoder_options": {"depth": 1},
    }


def test_options_come_back_as_the_configuration_takes_them_and_no_others() -> None:
    assert overriding(TrainConfig, TrainConfig(), {"warmup": "0.25", "log_every": "7"}, "train_options") == {
        "warmup": 0.25,
        "log_every": 7,
    }
    assert overriding(TrainConfig, {"warmup": 0.5}, {"clip": 2}, "train_options") == {"clip": 2.0}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"warmup": 3}, r"train_options\.warmup: .* less than 1, got 3"),
        ({"epochs": 3}, r"train_options\.epochs: Extra inputs"),
        ({"steps": 3}, r"train_options\.steps cannot be given: it has a field of its own"),
        ({"seed": 3}, r"train_options\.seed cannot be given"),
    ],
)
def test_what_is_wrong_is_named_as_part_of_its_field(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        overriding(TrainConfig, TrainConfig(), options, "train_options")


@pytest.mark.parametrize("field", [name for name in DECIDED if name in ModelConfig.model_fields])
def test_what_the_data_decides_is_not_given(field: str) -> None:
    with pytest.raises(InputError, match=rf"model_options\.{field} cannot be given: the (dataset|world) decides it"):
        overriding(ModelConfig, ModelConfig(), {field: 8}, "model_options")
