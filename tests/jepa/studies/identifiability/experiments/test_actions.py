"""Control with learned transitions, where what was learned is exact and where it is not."""

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.studies.identifiability.closed_forms.control import random_rotation
from jepa.studies.identifiability.experiments.actions import (
    Floats,
    closed_loop_cost,
    map_measures,
    quadratic_control,
    true_control,
)
from jepa.studies.identifiability.world import acted_world

WORLD = acted_world(4, 2, 0.9, 0.5, numpy_generator(0, "world"))


def test_exactly_rotated_transitions_have_no_error_and_cost_nothing() -> None:
    rotation = random_rotation(4, numpy_generator(0, "rotation"))
    learned = true_control(WORLD).rotated(rotation)
    for one in map_measures(WORLD, learned, rotation):
        assert one.value == pytest.approx(0.0, abs=1e-12)
    gain, turned = true_control(WORLD).gain(), learned.gain()

    def in_states(z: Floats) -> Floats:
        return -z @ gain.T

    def in_latents(z: Floats) -> Floats:
        return -(z @ rotation.T) @ turned.T

    best = closed_loop_cost(WORLD, in_states, 0)
    assert closed_loop_cost(WORLD, in_latents, 0) == pytest.approx(best, rel=1e-9)
    assert closed_loop_cost(WORLD, lambda z: 0 * in_states(z), 0) > 1.05 * best
    assert closed_loop_cost(WORLD, lambda z: -in_states(z), 0) > 1.5 * best


def test_errors_are_relative() -> None:
    learned = quadratic_control(1.1 * 0.9 * np.eye(4), 0.5 * WORLD.gain_DA.astype(np.float64))
    transition, action = map_measures(WORLD, learned, np.eye(4))
    assert transition.value == pytest.approx(0.1) and action.value == pytest.approx(0.5)
