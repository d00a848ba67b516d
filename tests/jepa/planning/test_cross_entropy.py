"""The cross-entropy method on costs whose minimum is known."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from jepa.planning.cross_entropy import CEMConfig, Cost, draw_noise, minimise

LOW, HIGH = torch.tensor(-1.0), torch.tensor(1.0)


def quadratic(target_PHKA: Tensor) -> Cost:
    return lambda action: (action - target_PHKA[:, None]).square().sum((2, 3, 4))


def targets(problems: int, scale: float = 0.6) -> Tensor:
    return scale * (2 * torch.rand(problems, 2, 2, 2, generator=torch.Generator().manual_seed(5)) - 1)


CONFIG = CEMConfig(samples=300, elites=30, iterations=15, horizon=2)


def test_finds_the_minimum_of_a_quadratic() -> None:
    target = targets(3)
    plan = minimise(quadratic(target), [1, 2, 3], (2, 2), LOW, HIGH, CONFIG)
    assert plan.shape == (3, 2, 2, 2)
    assert (plan - target).abs().max() < 0.05


def test_works_in_the_units_of_the_action_space() -> None:
    low, high = torch.tensor([10.0, -4.0]), torch.tensor([30.0, 0.0])
    target = torch.tensor([17.0, -3.0]).expand(1, 2, 2, 2)
    plan = minimise(quadratic(target), [0], (2, 2), low, high, CONFIG)
    assert ((plan - target).abs() < torch.tensor([0.8, 0.2])).all()


def test_stays_within_the_bounds() -> None:
    seen: list[Tensor] = []

    def cost(action: Tensor) -> Tensor:
        seen.append(action)
        return quadratic(torch.full((1, 2, 2, 2), 5.0))(action)

    plan = minimise(cost, [0], (2, 2), LOW, HIGH, CONFIG)
    assert torch.stack(seen).abs().max() <= 1
    assert plan.min() > 0.95


def test_a_plan_does_not_depend_on_its_neighbours() -> None:
    target = targets(4)
    together = minimise(quadratic(target), [1, 2, 3, 4], (2, 2), LOW, HIGH, CONFIG)
    for index, seed in enumerate([1, 2, 3, 4]):
        alone = minimise(quadratic(target[index : index + 1]), [seed], (2, 2), LOW, HIGH, CONFIG)
        assert torch.equal(alone[0], together[index])


def test_one_iteration_returns_the_mean_of_the_elites_and_the_mean_competes() -> None:
    config = CEMConfig(samples=20, elites=4, iterations=1, horizon=1)
    seen: list[Tensor] = []

    def cost(action: Tensor) -> Tensor:
        seen.append(action.clone())
        return (action - 0.2).square().sum((2, 3, 4))

    plan = minimise(cost, [3], (1, 2), LOW, HIGH, config)
    candidates = seen[0][0]
    assert (candidates[0] == 0).all()
    best = (candidates - 0.2).square().sum((1, 2, 3)).argsort()[:4]
    assert torch.allclose(plan[0], candidates[best].mean(0), atol=1e-6)


def test_the_second_iteration_samples_with_the_spread_of_the_elites() -> None:
    config = CEMConfig(samples=4000, elites=200, iterations=2, horizon=1, init_std=0.3)
    seen: list[Tensor] = []

    def cost(action: Tensor) -> Tensor:
        seen.append(action[0].clone())
        return action[:, :, 0, 0, 0].square()

    minimise(cost, [0], (1, 2), LOW, HIGH, config)
    # Only the first action has a cost: its spread shrinks to that of its elites, the other's stays.
    elites = seen[0][seen[0][:, 0, 0, 0].square().argsort()[:200]]
    assert seen[1][:, 0, 0, 0].std() == pytest.approx(float(elites[:, 0, 0, 0].std()), rel=0.1)
    assert seen[1][:, 0, 0, 1].std() == pytest.approx(0.3, rel=0.15)


def test_a_cost_that_is_not_a_number_is_never_elite() -> None:
    def cost(action: Tensor) -> Tensor:
        value = (action - 0.5).square().sum((2, 3, 4))
        return torch.where(action[:, :, 0, 0, 0] < 0, torch.nan, value)

    plan = minimise(cost, [0], (2, 2), LOW, HIGH, CONFIG)
    assert (plan - 0.5).abs().max() < 0.1


def test_noise_of_a_block_is_correlated_as_asked_and_keeps_its_variance() -> None:
    config = CEMConfig(samples=20_000, elites=2, horizon=2, block_correlation=0.8)
    noise = draw_noise((2, 3, 1), config, torch.Generator().manual_seed(0)).flatten(1)
    correlation = torch.corrcoef(noise.T)
    assert noise.var(0).sub(1).abs().max() < 0.05
    within, across = correlation[0, 1], correlation[0, 3]
    assert within == pytest.approx(0.8, abs=0.02) and across == pytest.approx(0, abs=0.02)


def test_more_elites_than_samples_are_refused() -> None:
    with pytest.raises(ValidationError, match="elites"):
        CEMConfig(samples=10, elites=11)
