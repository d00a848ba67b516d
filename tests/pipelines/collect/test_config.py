"""A wrong configuration is refused in one sentence before any work starts."""

from typing import Any

import pytest
from pydantic import ValidationError

from jepa.core.errors import InputError
from jepa.worlds import WORLDS
from pipelines.collect import CollectConfig, plan_dataset
from tests.pipelines.small_dataset import small_config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"world": "three_room"}, "world 'three_room' is not known; choose one of: .*two_room"),
        ({"policy": "sleep"}, "policy 'sleep' is not known"),
        ({"policy": {"random": 0.0}}, "give at least one policy a proportion above 0"),
        ({"codec": "gif"}, "codec 'gif' is not known; choose one of: h264, jpeg, raw, zstd"),
        ({"format": "zip"}, "format 'zip' is not known; choose one of: mds, webdataset"),
        ({"test_share": 0.9}, "leave nothing to train on"),
        ({"name": "a/b"}, "dataset name 'a/b' is not usable"),
        ({"image_size": 100_000}, "image_size is 100000"),
        ({"world_options": {"hue": 3}}, "world 'two_room' has no option 'hue'; it takes: image_size, distractor"),
        ({"world_options": {"distractor": "perhaps"}}, "distractor is 'perhaps' and world 'two_room' does not"),
        ({"image_size": 64, "world_options": {"image_size": 32}}, "give one of them"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan_dataset(small_config(**changes))


@pytest.mark.parametrize(
    "changes", [{"episodes": -5}, {"steps": 0}, {"seed": -1}, {"actors": 0}, {"episode": 3}, {"executor": "slurm"}]
)
def test_counts_and_keys_are_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(changes))):
        small_config(**changes)


def test_defaults_are_the_worlds_own() -> None:
    plan, spec = plan_dataset(CollectConfig(world="two_room")), WORLDS.get("two_room").world_spec
    assert plan.steps == spec.episode_steps and plan.policy == dict(spec.policy)
    assert plan.world_options == {"image_size": spec.image_size}
    assert plan.shares == {"train": 0.75, "validation": 0.05, "test": 0.1, "unseen": 0.1}


def test_options_of_the_world_are_part_of_the_plan() -> None:
    plan = plan_dataset(small_config(world_options={"distractor": True}))
    assert plan.world_options["distractor"] is True
    assert plan == plan_dataset(small_config(world_options={"distractor": "true"})), "as a command line gives it"
    assert plan != plan_dataset(small_config())


def test_a_mixture_can_be_text() -> None:
    assert small_config(policy="random").policy == {"random": 1.0}
    assert small_config(policy="random=1, two_room/expert=3").policy == {"random": 1.0, "two_room/expert": 3.0}
    with pytest.raises(ValidationError, match="policy"):
        small_config(policy="random=often")
