"""Objectives against their formulas, and the training loop."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from jepa.core.seeds import seeded, torch_generator
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig
from jepa.studies.identifiability.training import (
    Schedule,
    alignment,
    info_nce,
    make_loss,
    paired_loss,
    train,
    whiteness,
)


def views(n: int = 64, size: int = 3) -> Tensor:
    return torch.randn(2, n, size, generator=torch_generator(0, "views"), dtype=torch.float64)


def test_alignment_is_the_mean_over_both_views() -> None:
    h = views()
    torch.testing.assert_close(alignment(h), (h - h.mean(0)).square().mean())


def test_whiteness_is_zero_for_white_latents_of_any_mean() -> None:
    h = views()[0]
    centred = h - h.mean(0)
    white = torch.linalg.solve_triangular(torch.linalg.cholesky(centred.T @ centred / 64), centred.T, upper=False).T
    torch.set_default_dtype(torch.float64)
    try:
        assert whiteness(white + 7) < 1e-20
        torch.testing.assert_close(whiteness(2 * white), torch.tensor(3.0))  # mean over 9 entries of 3 · (4 - 1)²
    finally:
        torch.set_default_dtype(torch.float32)


def test_info_nce_picks_each_partner_among_the_batch() -> None:
    h = views(5, 2)
    distance = (h[0][:, None] - h[1][None]).square().sum(-1) / 2
    one = sum(distance[i, i] + (-distance[i]).logsumexp(0) for i in range(5)) / 5
    other = sum(distance[i, i] + (-distance[:, i]).logsumexp(0) for i in range(5)) / 5
    torch.testing.assert_close(info_nce(h), torch.as_tensor((one + other) / 2))


def test_lejepa_weighs_alignment_and_sigreg_of_both_views() -> None:
    h = views()
    sigreg = SIGReg(SIGRegConfig(directions=8))(h.flatten(0, 1)[None], 3, 5)
    torch.testing.assert_close(make_loss("lejepa", 0.25, 8, 5)(h, 3), 0.75 * alignment(h) + 0.25 * sigreg)


def test_the_rate_is_constant_for_half_of_the_steps_and_ends_at_zero() -> None:
    schedule = Schedule(steps=100)
    assert [schedule.rate(step) for step in (0, 50)] == [1.0, 1.0]
    assert schedule.rate(75) == pytest.approx(0.5)
    assert schedule.rate(100) == pytest.approx(0.0)
    assert math.isclose(schedule.rate(99), 0.5 * (1 + math.cos(math.pi * 0.98)))


def test_training_finds_the_rotation_of_a_line_and_repeats_itself() -> None:
    def run() -> tuple[float, Tensor]:
        with seeded(0, "encoder"):
            encoder = nn.Linear(2, 2)

        def draw(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
            z = rng.standard_normal((n, 2), dtype=np.float32)
            other = 0.9 * z + math.sqrt(0.19) * rng.standard_normal((n, 2), dtype=np.float32)
            stretch = np.array([[2.0, 0.0], [1.0, 0.5]], dtype=np.float32)
            return torch.from_numpy(z @ stretch), torch.from_numpy(other @ stretch)

        loss = paired_loss(encoder, draw, make_loss("whiten", 0.9, 8, 0), 128, 0)
        return train(encoder, loss, Schedule(steps=250, learning_rate=3e-2)), encoder.weight.detach()

    (loss, weight), (again, weight_again) = run(), run()
    assert loss == again and torch.equal(weight, weight_again)
    mapped = weight @ torch.tensor([[2.0, 1.0], [0.0, 0.5]])
    torch.testing.assert_close(mapped @ mapped.T, torch.eye(2), atol=0.15, rtol=0)
