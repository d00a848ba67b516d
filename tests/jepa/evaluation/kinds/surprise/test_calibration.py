"""Thresholds: a stated rate of false alarms is kept."""

from collections.abc import Mapping

import numpy as np
import pytest

from jepa.evaluation.kinds.surprise.calibration import calibrate, conformal_threshold, fewest_frames
from jepa.evaluation.kinds.surprise.config import SurpriseConfig
from jepa.evaluation.kinds.surprise.scoring import ONE_STEP
from tests.jepa.evaluation.standins import CentroidModel, MemorySource


def test_the_rank_is_the_conformal_one() -> None:
    scores = np.arange(1.0, 100.0)
    assert conformal_threshold(scores, 0.01) == 99.0 and conformal_threshold(scores[:98], 0.01) is None
    assert conformal_threshold(scores, 0.1) == 90.0 and conformal_threshold(np.array([]), 0.1) is None
    assert fewest_frames(0.01) == 99 and fewest_frames(0.05) == 19 and fewest_frames(0.3) == 3


@pytest.mark.parametrize("n", [99, 250])
def test_new_frames_raise_alarms_as_often_as_stated(n: int) -> None:
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(2000):
        threshold = conformal_threshold(rng.exponential(size=n), 0.02)
        assert threshold is not None
        rates.append(np.exp(-threshold))
    rank = int(np.ceil((n + 1) * 0.98))
    assert np.mean(rates) == pytest.approx(1 - rank / (n + 1), abs=0.001) and np.mean(rates) <= 0.021


def test_recorded_frames_are_as_good_as_replays_of_them() -> None:
    source, model = MemorySource({"validation": 12}), CentroidModel()
    replayed, recorded = (calibrate(model, source, SurpriseConfig(), simulated=one) for one in (True, False))  # type: ignore[arg-type]
    assert replayed.thresholds == recorded.thresholds and replayed.thresholds[ONE_STEP].episodes == 12


class Shifted(MemorySource):
    """Test episodes would be of larger agents, and the others are of the usual ones."""

    def world_options_of(self, split: str) -> Mapping[str, object]:
        return self.world_options if split == "test" else {}


def test_a_shift_of_the_world_leaves_thresholds_as_they_are() -> None:
    """Validation episodes are replayed in the world that they were recorded in."""
    usual, model = MemorySource({"validation": 12}), CentroidModel()
    shifted = Shifted({})
    shifted.by_split, shifted.world_options = usual.by_split, {"agent_radius": 0.12}
    own, other = (calibrate(model, one, SurpriseConfig()) for one in (usual, shifted))  # type: ignore[arg-type]
    assert own.thresholds == other.thresholds and own.thresholds[ONE_STEP].value > 0
