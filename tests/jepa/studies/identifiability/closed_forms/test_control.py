"""Control in rotated latents is control in states."""

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.studies.identifiability.closed_forms.control import LinearControl, random_control, random_rotation


@pytest.mark.parametrize("seed", range(4))
def test_the_gain_turns_with_the_state(seed: int) -> None:
    rng = numpy_generator(seed, "control")
    system, rotation = random_control(5, 2, rng), random_rotation(5, rng)
    states = rng.standard_normal((20, 5))
    turned = system.rotated(rotation)
    np.testing.assert_allclose(turned.gain(), system.gain() @ rotation.T, atol=1e-8)
    np.testing.assert_allclose(states @ rotation.T @ turned.gain().T, states @ system.gain().T, atol=1e-8)


def test_a_map_that_is_no_rotation_changes_the_actions() -> None:
    rng = numpy_generator(0, "control")
    system, stretch = random_control(5, 2, rng), np.diag([3.0, 1, 1, 1, 1])
    a, b = stretch @ system.transition_DD @ np.linalg.inv(stretch), stretch @ system.action_DA
    stretched = LinearControl(a, b, np.eye(5), system.action_cost_AA)
    assert np.abs(stretched.gain() @ stretch - system.gain()).max() > 0.01


def test_the_gain_is_optimal() -> None:
    rng = numpy_generator(1, "control")
    system, start = random_control(3, 1, rng), rng.standard_normal(3)

    def cost(gain: np.ndarray) -> float:  # type: ignore[type-arg]
        z: np.ndarray = start  # type: ignore[type-arg]
        total = 0.0
        for _ in range(400):
            a = -gain @ z
            total += z @ system.state_cost_DD @ z + a @ system.action_cost_AA @ a
            z = system.transition_DD @ z + system.action_DA @ a
        return float(total)

    best = cost(system.gain())
    for _ in range(20):
        assert cost(system.gain() + 0.01 * rng.standard_normal(system.gain().shape)) > best


def test_a_planner_finds_the_same_actions_in_rotated_latents() -> None:
    rng = numpy_generator(2, "control")
    system, rotation = random_control(4, 2, rng), random_rotation(4, rng)
    start, goal = rng.standard_normal(4), rng.standard_normal(4)
    plan = system.plan(start, goal, 4, seed=3)
    turned = system.rotated(rotation).plan(rotation @ start, rotation @ goal, 4, seed=3)
    assert plan.shape == (4, 2) and np.abs(plan).max() > 0.05
    np.testing.assert_allclose(turned, plan, atol=1e-8)
    other = system.plan(start, -goal, 4, seed=3)
    assert np.abs(other - plan).max() > 0.05
