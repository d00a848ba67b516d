"""The evaluation `latent`: rank and straightness of latents that are known, and how often they are defined."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.evaluation.kinds.latent.evaluation import (
    LatentConfig,
    LatentEvaluation,
    effective_rank,
    overall_effective_rank,
    straightness,
)
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

MODEL: Any = CentroidModel()


def test_effective_rank_and_straightness_of_known_latents() -> None:
    assert effective_rank(np.eye(7)) == pytest.approx(7)
    assert effective_rank(np.diag([1.0, 1.0, 0, 0])) == pytest.approx(2)
    assert straightness(np.outer(np.arange(5.0), [1, 2, 3])) == pytest.approx(1)
    assert straightness(np.array([[0.0, 0], [1, 0], [1, 1]])) == pytest.approx(0)
    assert np.isnan(straightness(np.zeros((5, 2))))


@pytest.mark.parametrize("episodes", [4, 20])
@pytest.mark.parametrize("size", [3, 40])
def test_the_rank_of_all_frames_together_lies_in_its_interval(episodes: int, size: int) -> None:
    """Frames of an episode are alike, so that resampled episodes would span less: the bootstrap left the value out."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        latents = [rng.standard_normal(size) + 0.1 * rng.standard_normal((30, size)) for _ in range(episodes)]
        estimate = overall_effective_rank(latents, blocks=50)
        assert 1 <= estimate.low < estimate.value < estimate.high <= size and estimate.n == episodes


def test_the_interval_of_a_rank_covers_at_its_level() -> None:
    rng = np.random.default_rng(1)
    scale = np.array([2.0, 1.0, 1.0, 0.5])

    def latents() -> list[NDArray[np.float64]]:
        return [scale * (rng.standard_normal(4) + rng.standard_normal((10, 4))) for _ in range(40)]

    estimates = [overall_effective_rank(latents(), blocks=20) for _ in range(200)]
    expected = np.mean([one.value for one in estimates])
    covered = np.mean([one.low <= expected <= one.high for one in estimates])
    assert 0.9 <= covered <= 0.99


def test_one_episode_has_a_rank_and_no_interval() -> None:
    estimate = overall_effective_rank([np.random.default_rng(2).standard_normal((30, 3))], blocks=10)
    assert 1 < estimate.value <= 3 and np.isnan(estimate.low) and np.isnan(estimate.high)


def test_a_latent_that_is_the_position_has_its_two_dimensions(source: MemorySource) -> None:
    evaluation = LatentEvaluation(LatentConfig(episodes=8, resamples=20), "p-v1")
    assert evaluation.units(source) == ["test", "unseen"]
    values = figures(evaluation.run("test", MODEL, source, seed=0).metrics)
    assert 1.5 < values["effective_rank",] <= 2 and -1 <= values["straightness",] <= 1 and values["sigreg",] > 0
    with pytest.raises(InputError, match="no 'test' episodes"):
        evaluation.units(MemorySource({"train": 1}, steps=5))


def test_frames_for_sigreg_are_no_setting_any_more(caplog: pytest.LogCaptureFixture) -> None:
    assert LatentConfig.model_validate({"sigreg_frames": 256, "episodes": 3}) == LatentConfig(episodes=3)
    assert "sigreg_frames is ignored" in caplog.text
