"""Thresholds: a stated rate of false alarms is kept."""

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
