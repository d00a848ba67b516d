"""The two models: alike but for what they predict, and better than expecting no change after training."""

import pytest
import torch

from jepa.core.seeds import torch_generator
from jepa.studies.generalization.point_mass.models import HORIZON, PointMassModel, Target, train_point_mass
from jepa.studies.generalization.point_mass.world import NOISES, OBSERVED, explore, make_sensor, step


@pytest.mark.parametrize("target", ["latent", "input"])
@torch.no_grad()
def test_training_learns_what_forces_do(target: Target) -> None:
    sensor = make_sensor(0.0, seed=0)
    with torch.enable_grad():
        model = train_point_mass(target, sensor, 100, seed=0)
    states, _ = explore(64, 10, seed=9)
    before = sensor.observe(states[:, 10], torch_generator(9, "before"))
    force = torch.tensor([1.0, -1.0]).expand(64, HORIZON, 2)
    after = states[:, 10]
    for action in force.unbind(1):
        after = step(after, action)
    aim = model.aim(sensor.observe(after, torch_generator(9, "after")))
    error, of_opposite = ((model.predict(model.encoder(before), one) - aim).square().sum(1) for one in (force, -force))
    assert float((error < of_opposite).float().mean()) > 0.8
    assert float(model.encoder(before).std(0).mean()) > 0.3


def test_both_targets_begin_alike_and_a_seed_gives_the_same_again() -> None:
    sensor = make_sensor(1.0, seed=2)
    first, again, other = (train_point_mass(target, sensor, 1, seed=2) for target in ("latent", "latent", "input"))
    assert all(torch.equal(one, two) for one, two in zip(first.parameters(), again.parameters(), strict=True))
    # One update of Adam moves a weight by no more than its rate.
    gaps = [(one - two).detach().abs().max() for one, two in zip(first.parameters(), other.parameters(), strict=True)]
    assert 0 < float(max(gaps)) < 0.01


@torch.no_grad()
def test_noise_weighs_less_in_the_loss_of_the_input() -> None:
    torch.manual_seed(0)
    model, now, action = PointMassModel("input"), torch.zeros(4, OBSERVED), torch.zeros(4, HORIZON, 2)
    base = float(model.loss(now, action, now))
    expected = model.predict(model.encoder(now), action).detach()
    assert float(model.loss(now, action, expected)) == pytest.approx(0, abs=1e-12)
    state, noise = expected.clone(), expected.clone()
    state[:, 0] += 1
    noise[:, -NOISES] += 1
    assert float(model.loss(now, action, state)) == pytest.approx(10 * float(model.loss(now, action, noise)), rel=1e-4)
    assert base > 0
