"""The point mass: its dynamics, what is seen of it, and how far goals are."""

import pytest
import torch

from jepa.core.seeds import torch_generator
from jepa.studies.generalization.point_mass.world import (
    DAMPING,
    NOISES,
    OBSERVED,
    SCALE,
    draw_problems,
    explore,
    make_sensor,
    step,
)


def test_a_step_is_damped_and_forces_are_bounded() -> None:
    found = step(torch.tensor([[1.0, 2.0, 0.1, -0.1]]), torch.tensor([[0.5, -7.0]]))
    velocity = torch.tensor([0.1 * DAMPING + 0.5 * SCALE, -0.1 * DAMPING - SCALE])
    assert torch.allclose(found, torch.cat([torch.tensor([1.0, 2.0]) + velocity, velocity])[None])


def test_noise_alone_differs_between_looks() -> None:
    state, sensor = torch.tensor([[0.3, -0.2, 0.01, 0.0]]), make_sensor(2.0, seed=1)
    one, other = (sensor.observe(state, torch_generator(0, look)) for look in (1, 2))
    assert one.shape == (1, OBSERVED) and torch.equal(one[:, :4], state)
    assert torch.equal(one[:, :-NOISES], other[:, :-NOISES])
    assert not torch.isclose(one[:, -NOISES:], other[:, -NOISES:]).any()
    assert torch.equal(make_sensor(0.0, seed=1).mix_4D, sensor.mix_4D)


@pytest.mark.parametrize("required", [1, 5, 25])
def test_a_goal_is_as_far_as_full_force_goes(required: int) -> None:
    start, goal = draw_problems(required, 50, seed=0)
    distance = (goal - start)[:, :2].norm(dim=1)
    speed, gone = 0.0, 0.0
    for _ in range(required):
        speed = DAMPING * speed + SCALE
        gone += speed
    assert torch.allclose(distance, torch.full((50,), gone), rtol=1e-4)
    assert not start[:, 2:].any() and not goal[:, 2:].any()


def test_exploration_obeys_the_dynamics() -> None:
    states, actions = explore(7, 9, seed=3)
    assert states.shape == (7, 10, 4) and actions.shape == (7, 9, 2)
    assert torch.equal(step(states[:, 4], actions[:, 4]), states[:, 5])
