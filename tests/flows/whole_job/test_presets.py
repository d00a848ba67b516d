"""Named sizes of the whole job."""

import pytest

from flows.whole_job.config import WorldModelConfig
from flows.whole_job.presets import default_name, preset_parts
from pipelines.store.references import check_name


@pytest.mark.parametrize("world", ["gymnasium:Pendulum-v1", "gymnasium:gymnasium.envs.classic_control:Acrobot-v1"])
def test_the_name_that_a_job_gets_is_one_that_it_takes(world: str) -> None:
    parts = preset_parts(world, None)
    assert WorldModelConfig.model_validate(parts | {"report": {}}).run == parts["collect"]["name"]


@pytest.mark.parametrize("world", ["gymnasium:ALE/Pong-v5", "gymnasium:my pkg:X/Y-v0", "gymnasium:" + 200 * "x", "ü"])
def test_default_names_are_usable_whatever_the_world_is_called(world: str) -> None:
    name = default_name(world, "smoke", 2**63 - 1)
    assert check_name("dataset", name or "-") == name and name.endswith(f"-smoke-s{2**63 - 1}")
    assert default_name("two_room", "demo", 0) == "two_room-demo-s0"
