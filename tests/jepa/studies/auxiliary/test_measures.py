"""Figures of latents: what they are where the counts are apart by construction, and where nothing is left of them."""

import pytest
import torch

from jepa.core.seeds import torch_generator
from jepa.studies.auxiliary.measures import PAIRS, Latents, class_figures, nuisance_r2, principal_plane, rank_me
from jepa.studies.auxiliary.samples import COUNTS

EACH = 40


def latents(stream: str, scale: float = 1.0, noise: float = 0.01, counts: bool = True) -> Latents:
    """One-hot counts, if at all, with noise that the nuisances are made of."""
    count = torch.arange(COUNTS).repeat_interleave(EACH)
    noise_MD = noise * torch.randn(len(count), COUNTS, generator=torch_generator(0, stream)).double()
    return Latents(scale * (counts * torch.eye(COUNTS).double()[count] + noise_MD), count, noise_MD[:, :2])


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_counts_that_are_apart_are_found_apart_at_any_scale(scale: float) -> None:
    figures = class_figures(latents("one", scale), latents("other", scale))
    assert figures["accuracy"] == 1 and figures["collisions"] == 0
    # Centroids √2 apart, and a spread within of .01 √9.
    assert figures["gap_over_spread"] == pytest.approx(2**0.5 / 0.03, rel=0.1)
    assert figures["within_share"] < 0.05
    assert nuisance_r2(latents("one", scale), latents("other", scale)) > 0.3


def test_latents_without_counts_are_at_chance_and_all_collide() -> None:
    figures = class_figures(latents("one", counts=False), latents("other", counts=False))
    assert figures["accuracy"] < 0.25 and figures["collisions"] == PAIRS and figures["within_share"] > 0.9


def test_latents_in_one_point_have_figures_too() -> None:
    point = Latents(torch.zeros(COUNTS * EACH, 4).double(), latents("one").count_M, latents("one").nuisance_Md)
    figures = class_figures(point, point)
    assert figures["collisions"] == PAIRS and figures["accuracy"] == pytest.approx(1 / COUNTS)
    assert abs(nuisance_r2(point, point)) < 1e-6 and torch.isfinite(principal_plane(point.z_MD)).all()


def test_latents_that_forget_the_nuisances_do_not_give_them_away() -> None:
    count = latents("one").count_M
    forgetful = Latents(torch.eye(COUNTS).double()[count], count, latents("one").nuisance_Md)
    assert nuisance_r2(forgetful, Latents(forgetful.z_MD, count, latents("other").nuisance_Md)) < 0.05


def test_rank_me_counts_directions_of_equal_weight() -> None:
    assert rank_me(torch.eye(7).double()) == pytest.approx(7)
    assert rank_me(torch.ones(7, 3).double()) == pytest.approx(1)


def test_the_principal_plane_has_nearly_all_of_the_variance() -> None:
    z = (
        torch.randn(50, 5, generator=torch_generator(1, "z")).double()
        * torch.tensor([5.0, 3.0, 0.1, 0.1, 0.1]).double()
    )
    plane = principal_plane(z)
    assert plane.square().sum(1).mean() == pytest.approx(1, abs=0.01)
