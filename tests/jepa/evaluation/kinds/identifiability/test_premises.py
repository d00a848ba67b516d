"""The premises on data that meet them and on data that do not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.evaluation.kinds.identifiability.premises import RANGES, premises, rate, start_and_end
from jepa.evaluation.statistics import jackknifed

NAMES = ("x", "y")
RHO = np.array([0.9, 0.8])


def linear_world(episodes: int = 300, steps: int = 20, start: float = 1.0) -> list[NDArray[np.float64]]:
    """Returns episodes of z' = ρz + √(1-ρ²)η, stationary where they start with the spread 1."""
    rng = np.random.default_rng(0)
    z_TG2 = np.empty((steps, episodes, 2))
    z_TG2[0] = start * rng.standard_normal((episodes, 2))
    for step in range(1, steps):
        z_TG2[step] = RHO * z_TG2[step - 1] + np.sqrt(1 - RHO**2) * rng.standard_normal((episodes, 2))
    return list(z_TG2.transpose(1, 0, 2))


def test_a_stationary_linear_world_meets_all_premises() -> None:
    sequences = linear_world()
    found = premises(sequences, NAMES)
    for name, rho in zip(NAMES, RHO, strict=True):
        assert found["lag_correlation", name] == pytest.approx(rho, abs=0.02)
        assert found["transition_noise", name] == pytest.approx(1 - rho**2, rel=0.05)
        assert found["noise_ratio", name] == pytest.approx(1, abs=0.05)
        assert abs(found["excess_kurtosis", name]) < 0.3 and abs(found["noise_kurtosis", name]) < 0.2
    assert found["rate_margin", None] == pytest.approx(0.8 - 0.81, abs=0.03)
    assert found["component_correlation", None] < 0.1
    assert rate(sequences) == pytest.approx(0.85, abs=0.02)
    ends = start_and_end(sequences, NAMES)
    assert min(ends["start_end_p", name] for name in NAMES) > 0.01


def test_episodes_that_begin_at_one_place_are_not_stationary() -> None:
    ends = start_and_end(linear_world(start=0.05), NAMES)
    assert all(ends["start_end_gap", name] > 0.3 and ends["start_end_p", name] < 1e-6 for name in NAMES)


def test_a_uniform_dimension_and_one_that_copies_another_are_found() -> None:
    rng = np.random.default_rng(1)
    sequences = [np.repeat(rng.uniform(-1, 1, (20, 1)), 2, axis=1) for _ in range(100)]
    found = premises(sequences, NAMES)
    assert found["excess_kurtosis", "x"] == pytest.approx(-1.2, abs=0.1)
    assert found["component_correlation", None] == pytest.approx(1)


def test_a_dimension_that_keeps_its_value_in_an_episode_has_no_noise_to_compare() -> None:
    rng = np.random.default_rng(2)
    held = [np.column_stack([np.full(10, rng.normal()), np.zeros(10)]) for _ in range(50)]
    found = premises(held, NAMES)
    assert found["lag_correlation", "x"] == pytest.approx(1) and found["transition_noise", "x"] == pytest.approx(0)
    assert not any(key in found for key in (("noise_ratio", "x"), ("lag_correlation", "y")))
    assert np.isnan(rate([np.zeros((5, 1))] * 3))


def test_intervals_are_over_episodes_and_stay_in_range() -> None:
    found = jackknifed(linear_world(60), lambda some: premises(some, NAMES), 15, RANGES)
    for (metric, _), one in found.items():
        assert one.low <= one.value <= one.high and one.n == 60, metric
    assert found["lag_correlation", "x"].low < 0.9 < found["lag_correlation", "x"].high <= 1
    alone = jackknifed(linear_world(1, steps=50), lambda some: premises(some, NAMES), 15, RANGES)
    assert np.isnan(alone["lag_correlation", "x"].low)
