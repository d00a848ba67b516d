"""What the base of all worlds does: reset and step with goals, and inputs that are refused in one sentence."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.worlds import WORLDS, make_world, packages
from jepa.worlds.policies import make_policy


def test_step_rewards_a_goal_and_truncates_at_the_episodes_length():
    world = make_world("two_room", 2)
    world.reset(seed=0)
    goal = world.state()
    goal["agent_position"][1] = 1 - goal["agent_position"][1]
    world.reset(seed=0, options={"goal": goal})
    still = np.zeros((2, 2), dtype=np.float32)
    _, reward, terminated, truncated, _ = world.step(still)
    np.testing.assert_allclose(reward, -world.distance(goal, "uniform"))
    np.testing.assert_array_equal(terminated, [True, False])
    for _ in range(world.world_spec.episode_steps - 1):
        assert not truncated.any()
        *_, truncated, _ = world.step(still)
    assert truncated.all()


def test_reset_takes_variations_and_unseen():
    world = make_world("two_room", 2)
    _, info = world.reset(seed=0, options={"variations": [{"door": 0.25}, {"door": 0.75}]})
    np.testing.assert_allclose(info["door"][:, 0], [0.25, 0.75])
    _, info = world.reset(seed=0, options={"unseen": True})
    (factor,) = world.world_spec.factors
    assert all(any(low <= door <= high for low, high in factor.held_out) for door in info["door"][:, 0])


def test_every_worlds_specification_is_there_without_making_one():
    for name in WORLDS:
        spec = WORLDS.get(name).world_spec
        assert spec.name == name and spec.goal_kind_names[0] == "uniform"
        assert sum(spec.policy.values()) == pytest.approx(1)
        for policy in spec.policy:
            make_policy(policy, name)


@pytest.mark.parametrize(
    ("name", "count", "options", "message"),
    [
        ("three_rooms", 1, {}, "world 'three_rooms' is not known; choose one of: cube, pusht, reacher, swm_two_room"),
        ("three_rooms", 1, {}, "two_room, gymnasium:<id of a Gymnasium environment>"),
        ("two_room", 1, {"gravity": 9.8}, "world 'two_room' has no option 'gravity'; it takes: image_size"),
        ("two_room", 1, {"image_size": 4}, "image_size is 4"),
        ("two_room", 1, {"image_size": "big"}, "image_size is 'big'"),
        ("two_room", 0, {}, "num_envs is 0"),
        ("pusht", 1, {"image_size": -1}, "image_size is -1"),
    ],
)
def test_a_wrong_input_is_named(name, count, options, message):
    with pytest.raises(InputError) as raised:
        make_world(name, count, **options)
    assert message in str(raised.value)


def test_seeds_must_be_one_for_each_copy():
    with pytest.raises(InputError, match="seed has 1 entries"):
        make_world("two_room", 2).reset(seed=[1])


@pytest.mark.parametrize("name", ["pusht", "swm_two_room", "reacher", "cube"])
def test_a_world_whose_package_is_missing_names_it_and_the_remedy(monkeypatch, name):
    def without_package(module):
        raise ModuleNotFoundError(f"No module named {module!r}")

    monkeypatch.setattr(packages.importlib, "import_module", without_package)
    with pytest.raises(InputError) as raised:
        make_world(name, 1)
    assert f"world {name!r} needs the package stable-worldmodel" in str(raised.value)
    assert "pip install stable-worldmodel" in str(raised.value)


def test_importing_the_worlds_chooses_no_renderer_and_imports_no_package():
    """A renderer that is set on import would override what the rest of a program wants."""
    code = (
        "import os, sys; os.environ.pop('MUJOCO_GL', None); import jepa.worlds; "
        "print('MUJOCO_GL' in os.environ, [name for name in ('mujoco', 'pymunk', 'ogbench') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False []"


def test_what_the_user_has_chosen_to_render_with_stays(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    packages.choose_renderer()
    assert os.environ["MUJOCO_GL"] == "osmesa"


@pytest.mark.parametrize(
    ("installed", "chosen"), [({"libEGL.so.1"}, "egl"), ({"libOSMesa.so.8"}, "osmesa"), (set(), None)]
)
def test_the_renderer_is_what_is_installed(monkeypatch, installed, chosen):
    monkeypatch.setattr(packages, "_loads", lambda library: library in installed)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("MUJOCO_GL", "to be forgotten after the test")
    monkeypatch.delenv("MUJOCO_GL")
    packages.choose_renderer()
    assert os.environ.get("MUJOCO_GL") == chosen


def test_nothing_to_render_with_names_the_system_package(monkeypatch):
    mujoco = packages.import_package("cube", "mujoco")

    def broken(*args, **kwargs):
        raise RuntimeError("no display")

    monkeypatch.setattr(mujoco, "Renderer", broken)
    packages.require_renderer.cache_clear()
    with pytest.raises(InputError) as raised:
        packages.require_renderer("cube")
    assert "world 'cube' cannot render here (no display)" in str(raised.value)
    assert "apt-get install libegl1" in str(raised.value) and "libosmesa6" in str(raised.value)


def test_a_world_that_is_collected_leaves_the_pictures_of_others_alone():
    """Renderers of one process share numbers of textures; freeing them in the wrong context blackens another's."""
    try:
        first, second = make_world("reacher", 1, image_size=32), make_world("cube", 1, image_size=32)
    except InputError as error:
        pytest.skip(str(error))
    first.render_pixels()
    frames = second.render_pixels()
    del first
    gc.collect()
    np.testing.assert_array_equal(second.render_pixels(), frames)
    second.close()
