"""Measures of an encoder whose map is known."""

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.studies.identifiability.experiments.measures import path_ratio, rate_measures

Z = numpy_generator(0, "states").standard_normal((5000, 2))


def ratio(space: np.ndarray) -> float:  # type: ignore[type-arg]
    return path_ratio(Z, space, 30, 15, numpy_generator(0, "paths"))


def test_straight_lines_of_the_state_itself_are_nearly_straight() -> None:
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    assert 1.0 < ratio(Z) < 1.15
    assert ratio(Z @ turn.T + 3) == pytest.approx(ratio(Z), rel=1e-9)


def test_lines_through_a_mixed_space_are_detours() -> None:
    bent = np.stack([Z[:, 0] + np.sin(3 * Z[:, 1]), Z[:, 1]], axis=1)
    assert ratio(bent) > ratio(Z) + 0.1


def test_slow_and_fast_halves_are_told_apart() -> None:
    latents = np.stack([Z[:, 0], Z[:, 0] ** 2], axis=1)
    slow, fast = rate_measures(Z, latents)
    assert (slow.metric, fast.metric) == ("r2_slow", "r2_fast")
    assert slow.value == pytest.approx(1.0) and fast.value < 0.01
