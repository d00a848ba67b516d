"""Angles are read as cosine and sine, and shown as angles."""

from typing import Any

import numpy as np
import pytest

from jepa.evaluation.kinds.probing.targets import Targets, finite_quantities, probed_quantities
from jepa.worlds.declarations import Quantity

HEADING = Quantity("heading", 2, "radian")
HUE = Quantity("hue", 1, "degree")
PLACE = Quantity("place", 2, "metre")


class Recorded:
    """A source of a world, or of none, that holds some quantities."""

    def __init__(self, world: str, **quantities: int) -> None:
        self.world, self.quantities = world, quantities


def test_an_angle_is_cosine_and_sine_and_a_full_turn_changes_nothing() -> None:
    targets = Targets((PLACE, HEADING, HUE))
    assert targets.columns == {"all": slice(None), "place": slice(0, 2), "heading": slice(2, 6), "hue": slice(6, 8)}
    angle = np.array([[0.5, -1.0], [3.0, 7.0]], np.float32)
    state = {"place": np.ones((2, 2), np.float32), "heading": angle, "hue": np.array([[90.0], [-45.0]], np.float32)}
    values = targets.values(state)
    np.testing.assert_allclose(values[:, 2:6], np.concatenate([np.cos(angle), np.sin(angle)], 1), atol=1e-6)
    np.testing.assert_allclose(values[:, 6:], np.array([[0, 1], [1, -1]]) / [[1], [2**0.5]], atol=1e-6)
    turned = {**state, "heading": angle + 2 * np.float32(np.pi), "hue": state["hue"] - 360}
    np.testing.assert_allclose(targets.values(turned), values, atol=1e-5)


def test_what_is_read_of_an_angle_is_shown_in_its_unit_beside_the_true_one() -> None:
    targets = Targets((PLACE, HUE))
    true, read = np.array([[179.0], [350.0], [-30.0]]), np.radians([[-179.0], [20.0], [-32.0]])
    state = {"place": np.zeros((3, 2), np.float32), "hue": true.astype(np.float32)}
    predicted = np.concatenate([np.zeros((3, 2)), 0.5 * np.cos(read), 0.5 * np.sin(read)], 1).astype(np.float32)
    shown, near = targets.shown(HUE, state, predicted)
    np.testing.assert_allclose(shown, [[179], [-10], [-30]], atol=1e-4)
    np.testing.assert_allclose(near, [[181], [20], [-32]], atol=1e-4)
    own, same = targets.shown(PLACE, state, predicted)
    np.testing.assert_array_equal(own, same)


def test_motion_is_looked_for_in_several_frames_alone() -> None:
    source: Any = Recorded("pusht", agent_position=2, agent_velocity=2, door=1, block_angle=1, temperature=4)
    assert [one.name for one in probed_quantities(source)] == ["agent_position", "door", "temperature"]
    moving = [one.name for one in probed_quantities(source, motion=True)]
    assert moving == ["agent_position", "agent_velocity", "door", "temperature"]
    other: Any = Recorded("somewhere", agent_velocity=2)
    assert [one.name for one in probed_quantities(other)] == ["agent_velocity"]


def test_a_quantity_with_gaps_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    whole = {"place": np.zeros((3, 2), np.float32), "hue": np.zeros((3, 1), np.float32)}
    broken = whole | {"hue": np.array([[0.0], [np.nan], [1.0]], np.float32)}
    assert finite_quantities([PLACE, HUE], [whole, broken]) == [PLACE]
    assert "'hue' is not probed" in caplog.text
