"""Packages of others: imported late, named with the remedy where they are missing; renderers chosen and closed."""

import gc
import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.worlds import WORLDS, make_world
from jepa.worlds.adapters import packages


@pytest.mark.parametrize("name", ["pusht", "swm_two_room", "reacher", "cube"])
def test_a_world_whose_package_is_missing_names_it_and_the_remedy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    WORLDS.get(name)  # our own module is there

    def without_package(module: str) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}")

    monkeypatch.setattr(importlib, "import_module", without_package)
    with pytest.raises(InputError) as raised:
        make_world(name, 1)
    assert f"world {name!r} needs the package stable-worldmodel" in str(raised.value)
    assert "pip install stable-worldmodel" in str(raised.value)


def test_importing_the_worlds_chooses_no_renderer_and_imports_no_package() -> None:
    """A renderer that is set on import would override what the rest of a program wants."""
    code = (
        "import os, sys; os.environ.pop('MUJOCO_GL', None); import jepa.worlds; "
        "print('MUJOCO_GL' in os.environ, [name for name in ('mujoco', 'pymunk', 'ogbench') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False []"


def test_what_the_user_has_chosen_to_render_with_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    packages.choose_renderer()
    assert os.environ["MUJOCO_GL"] == "osmesa"


@pytest.mark.parametrize(
    ("installed", "chosen"), [({"libEGL.so.1"}, "egl"), ({"libOSMesa.so.8"}, "osmesa"), (set(), None)]
)
def test_the_renderer_is_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, installed: set[str], chosen: str | None
) -> None:
    monkeypatch.setattr(packages, "_loads", lambda library: library in installed)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("MUJOCO_GL", "to be forgotten after the test")
    monkeypatch.delenv("MUJOCO_GL")
    packages.choose_renderer()
    assert os.environ.get("MUJOCO_GL") == chosen


def test_nothing_to_render_with_names_the_system_package(monkeypatch: pytest.MonkeyPatch) -> None:
    mujoco = packages.import_package("cube", "mujoco")

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no display")

    monkeypatch.setattr(mujoco, "Renderer", broken)
    packages.require_renderer.cache_clear()
    with pytest.raises(InputError) as raised:
        packages.require_renderer("cube")
    assert "world 'cube' cannot render here (no display)" in str(raised.value)
    assert "apt-get install libegl1" in str(raised.value) and "libosmesa6" in str(raised.value)


def test_a_world_that_is_collected_leaves_the_pictures_of_others_alone() -> None:
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


def test_hues_are_turned_to_ones_that_differ() -> None:
    for present in (0.0, 10.0, 350.0):
        drawn = {packages.other_hue(present, (5.0, 120.0, 240.0), np.random.default_rng(n)) for n in range(20)}
        assert drawn == {120.0, 240.0}
    assert packages.hue_colour(120, 1, 1) == (0, 1, 0)
    assert packages.hue_colour(480, 1, 1) == pytest.approx((0, 1, 0))


def test_pictures_are_averaged_down_and_left_alone_at_their_size() -> None:
    frame = np.zeros((4, 4, 3), dtype=np.uint8)
    frame[:, 2:] = 200
    assert packages.resize(frame, 4) is frame
    small = packages.resize(frame, 2)
    assert (
        small.shape == (2, 2, 3) and small.dtype == np.uint8 and (small[:, 0] < 60).all() and (small[:, 1] > 140).all()
    )
