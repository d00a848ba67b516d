"""The parts of the job are tied together by names."""

from datetime import date

import pytest
from pydantic import ValidationError

from flows.cluster import ray_slots
from flows.whole_job.config import WorldModelConfig, dated
from flows.whole_job.presets import PRESETS, preset_parts
from jepa.core.errors import InputError
from jepa.evaluation import get_protocol
from jepa.worlds import WORLDS
from pipelines.collect import CollectConfig
from pipelines.pretrain import PretrainConfig


@pytest.mark.parametrize("world", list(WORLDS))
@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_preset_fits_every_world(world: str, preset: str) -> None:
    config = WorldModelConfig.model_validate(preset_parts(world, preset, seed=3))
    assert config.collect.world == world and config.run == f"{world}-{preset}-s3"
    assert config.collect.seed == config.pretrain.seed == config.evaluate.seed == 3


def test_a_world_without_a_preset_of_its_own_gets_the_smallest() -> None:
    assert preset_parts("cube", None)["pretrain"]["recipe"] == "smoke"
    assert preset_parts("two_room", None)["collect"]["name"] == "two_room-demo-s0"
    with pytest.raises(InputError, match="world 'somebody/elses' is not known"):
        preset_parts("somebody/elses", None)


def test_what_a_world_declares_is_there() -> None:
    for world in WORLDS:
        spec = WORLDS.get(world).world_spec
        assert spec.preset in PRESETS and get_protocol(spec.protocol)


def test_presets_are_not_changed_by_their_use() -> None:
    preset_parts("two_room", "smoke", seed=5)["collect"]["episodes"] = 1
    assert (
        preset_parts("two_room", "smoke")["collect"]["episodes"] != 1
        and "seed" not in PRESETS.get("smoke").parts["collect"]
    )


@pytest.mark.parametrize(
    ("preset", "seed", "words"), [("huge", 0, "preset 'huge' is not known"), ("demo", -1, "seed is -1")]
)
def test_a_wrong_preset_or_seed_is_one_sentence(preset: str, seed: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        preset_parts("two_room", preset, seed)


def test_names_are_handed_on() -> None:
    config = WorldModelConfig.model_validate({"collect": {"name": "d"}, "pretrain": {"name": "m"}})
    assert config.pretrain.dataset == config.evaluate.dataset == "d"
    assert config.evaluate.model == config.evaluate.run == config.report.run == config.run == "m"


@pytest.mark.parametrize(
    "parts",
    [
        {"collect": {"name": "d"}, "pretrain": {"dataset": "other"}},
        {"collect": {"name": "d"}, "evaluate": {"model": "other"}},
        {"collect": {"name": "d"}, "report": {"run": "other"}},
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ValidationError, match=r"leave .* out or make them equal"):
        WorldModelConfig.model_validate(parts)


def test_a_scheduled_run_has_names_of_its_own() -> None:
    config = WorldModelConfig.model_validate({"collect": {"name": "d"}, "pretrain": {"name": "m"}})
    later = dated(config, date(2026, 11, 20))
    assert (later.collect.name, later.pretrain.name, later.run) == ("d-20261120", "m-20261120", "m-20261120")
    assert later.pretrain.dataset == later.evaluate.dataset == "d-20261120" and later.evaluate.model == "m-20261120"
    assert later.collect.model_copy(update={"name": "d"}) == config.collect


@pytest.mark.parametrize("chosen", ["held-out", "held-out@2"])
def test_a_scheduled_run_leaves_the_name_of_a_dataset_that_it_does_not_collect(chosen: str) -> None:
    config = WorldModelConfig.model_validate(
        {"collect": {"name": "d"}, "pretrain": {"name": "m", "dataset": "d@1"}, "evaluate": {"dataset": chosen}}
    )
    later = dated(config, date(2026, 11, 20))
    assert later.evaluate.dataset == chosen
    assert later.pretrain.dataset == "d-20261120@1"


def test_ray_is_asked_for_as_many_slots_as_the_largest_part_needs() -> None:
    local, collect = CollectConfig(executor="local", actors=9), CollectConfig(actors=3)
    pretrain = PretrainConfig(dataset="d", name="m", workers=5)
    assert ray_slots(local) == 0 and ray_slots(local, collect, pretrain) == 5
    assert ray_slots(pretrain, CollectConfig(actors=3, cpus=2.5)) == 8
