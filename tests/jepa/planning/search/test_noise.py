"""Coloured noise: of unit variance at every action, its neighbours alike, and white where no colour is asked for."""

import pytest
import torch

from jepa.planning.search.noise import coloured, draw_coloured


@pytest.mark.parametrize("colour", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("steps", [1, 2, 7, 10])
def test_each_action_has_unit_variance(colour: float, steps: int) -> None:
    white = torch.randn(20_000, steps, 2, generator=torch.Generator().manual_seed(0))
    assert coloured(white, colour).var(0).sub(1).abs().max() < 0.06


def test_neighbours_are_the_more_alike_the_redder_the_noise() -> None:
    white = torch.randn(20_000, 10, 1, generator=torch.Generator().manual_seed(0))
    alike = [float((noise[:, 4] * noise[:, 5]).mean()) for noise in (coloured(white, c) for c in (0.0, 1.0, 2.0))]
    assert abs(alike[0]) < 0.05 and alike[1] > 0.3 and alike[2] > alike[1] + 0.2


def test_a_problem_s_noise_is_its_own_generator_s() -> None:
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    drawn = draw_coloured(5, (3, 2, 2), 1.0, generators)
    alone = draw_coloured(5, (3, 2, 2), 1.0, [torch.Generator().manual_seed(2)])
    assert drawn.shape == (2, 5, 3, 2, 2) and torch.equal(drawn[1], alone[0])
