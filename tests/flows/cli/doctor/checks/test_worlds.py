"""The doctor's check of worlds: each renders a frame, and one that draws nothing is found."""

from typing import Any

import numpy as np
import pytest

from flows.cli.doctor.checks import worlds
from jepa.core.errors import InputError
from jepa.worlds import WORLDS, World, make_world
from tests.flows.cli.doctor.checked import findings


def made(name: str, num_envs: int, **options: Any) -> World:
    if name == "missing":
        raise InputError("world 'missing' needs the package missing; install it with: pip install missing")
    world = make_world("two_room", num_envs, **options)
    if name == "dark":
        world.render_pixels = lambda: np.zeros((1, 32, 32, 3), np.uint8)  # type: ignore[method-assign]
    return world


def test_a_world_that_draws_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WORLDS, "names", lambda: ["dark", "missing", "two_room"])
    monkeypatch.setattr(worlds, "make_world", made)
    found = findings("worlds")
    assert [(name, one.status.value) for name, one in found.items()] == [
        ("two_room", "ok"),
        ("dark", "failed"),
        ("missing", "failed"),
    ]
    assert found["missing"].remedy == "install it with: pip install missing" and "MUJOCO_GL" in found["dark"].remedy
