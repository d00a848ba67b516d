"""The evaluation `latent`: rank and straightness of latents that are known, and how often they are defined."""

from typing import Any

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation.latent.evaluation import (
    LatentConfig,
    LatentEvaluation,
    bootstrap_effective_rank,
    effective_rank,
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


def test_the_rank_of_all_frames_together_lies_in_its_interval() -> None:
    rng = np.random.default_rng(0)
    latents = [rng.standard_normal((30, 3)) * [1.0, 1.0, 0.0] for _ in range(20)]
    estimate = bootstrap_effective_rank(latents, seed=1, resamples=50)
    assert estimate.value == pytest.approx(2, abs=0.02) and estimate.n == 20
    assert estimate.low <= estimate.value <= estimate.high


def test_a_latent_that_is_the_position_has_its_two_dimensions(source: MemorySource) -> None:
    evaluation = LatentEvaluation(LatentConfig(episodes=8, resamples=20), "p-v1")
    assert evaluation.units(source) == ["test", "unseen"]
    values = figures(evaluation.run("test", MODEL, source, seed=0).metrics)
    assert 1.5 < values["effective_rank",] <= 2 and -1 <= values["straightness",] <= 1 and values["sigreg",] > 0
    with pytest.raises(InputError, match="no 'test' episodes"):
        evaluation.units(MemorySource({"train": 1}, steps=5))
