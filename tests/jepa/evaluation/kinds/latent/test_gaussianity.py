"""SIGReg's figure of an evaluation: 1 for Gaussian latents however many there are, of others what training sees."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import kstest

from jepa.evaluation.kinds.latent.gaussianity import batch_sigreg, dimension_distances, gaussian_distance
from jepa.objectives.terms.sigreg import SIGReg


def episodes(rng: np.random.Generator, count: int, frames: int, size: int = 8) -> list[NDArray[np.float64]]:
    return [rng.standard_normal((frames, size)) for _ in range(count)]


@pytest.mark.parametrize(("count", "frames"), [(10, 10), (50, 10), (200, 25)])
def test_it_is_about_1_for_gaussian_latents_at_any_number(count: int, frames: int) -> None:
    rng = np.random.default_rng(count)
    found = [batch_sigreg(episodes(rng, count, frames), 128, seed=k, blocks=20) for k in range(8)]
    assert np.mean([one.value for one in found]) == pytest.approx(1, abs=0.25)


def test_frames_that_are_alike_do_not_count_as_a_lack_of_gaussianity() -> None:
    """A whole episode at one place: SIGReg of all frames together is the frames of an episode times as much."""
    rng = np.random.default_rng(1)
    alike = [np.repeat(rng.standard_normal((1, 8)), 20, axis=0) for _ in range(400)]
    together = float(SIGReg()(torch.from_numpy(np.concatenate(alike)[None]), step=0, seed=3))
    assert together > 10 and batch_sigreg(alike, 128, 3, 50).value == pytest.approx(1, abs=0.5)


def test_of_other_latents_it_is_what_a_training_batch_has_on_average() -> None:
    rng = np.random.default_rng(2)

    def uniform(count: int) -> NDArray[np.float64]:
        return rng.uniform(-1, 1, (count, 8))

    few, many = (batch_sigreg([uniform(20) for _ in range(count)], 128, 0, 50) for count in (50, 400))
    batches = [float(SIGReg()(torch.from_numpy(uniform(128)[None]), step=0, seed=0)) for _ in range(50)]
    assert np.mean(batches) > 5
    assert few.value == pytest.approx(np.mean(batches), rel=0.1)
    assert many.value == pytest.approx(np.mean(batches), rel=0.05)
    assert many.low < np.mean(batches) < many.high and many.high - many.low < few.high - few.low


def test_one_episode_says_nothing() -> None:
    assert np.isnan(batch_sigreg(episodes(np.random.default_rng(0), 1, 30), 128, 0, 10).value)


def test_a_dimension_with_two_humps_is_far_from_gaussian_whatever_its_place_and_scale() -> None:
    rng = np.random.default_rng(2)
    z_ND = rng.standard_normal((4000, 3)) * 7 - 2
    z_ND[:, 1] = 5 + rng.choice([-1.0, 1.0], 4000) + 0.05 * rng.standard_normal(4000)
    found = gaussian_distance(z_ND)
    standard = (z_ND - z_ND.mean(0)) / z_ND.std(0)
    np.testing.assert_allclose(found, [kstest(standard[:, place], "norm").statistic for place in range(3)], atol=1e-9)
    assert found[[0, 2]].max() < 0.02 and found[1] > 0.3


def test_distances_of_dimensions_have_a_mean_a_largest_and_intervals() -> None:
    rng = np.random.default_rng(3)
    latents = episodes(rng, 40, 25)
    humped = [np.column_stack([z_ND, np.sign(z_ND[:, :1]), np.zeros(len(z_ND))]) for z_ND in latents]
    mean, largest = (dimension_distances(humped, 200)["gaussian_distance", name] for name in ("mean", "largest"))
    assert 0.3 < largest.value < 0.37
    assert mean.value == pytest.approx(largest.value / 9, abs=0.03), "one of nine: what is still is left out"
    assert 0 <= mean.low < mean.value < mean.high <= 1 and mean.n == 40
    assert not dimension_distances([np.ones((5, 2))] * 3, 200)
