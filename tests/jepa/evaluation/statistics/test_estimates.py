"""Weights of resamples: drawn once for the figures of a unit, and never another's."""

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.evaluation.statistics import bootstrap_weights, estimates


def drawn(groups: int, seed: int, resamples: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return numpy_generator(seed).multinomial(groups, np.full(groups, 1 / groups), size=resamples).astype(np.float64)


def test_weights_belong_to_groups_seed_and_number_whatever_was_drawn_before() -> None:
    asked = [(30, 1, 200), (31, 1, 200), (30, 2, 200), (30, 1, 201), (30, 1, 200)]
    for one in asked:
        np.testing.assert_array_equal(bootstrap_weights(*one), drawn(*one))


def test_figures_of_the_same_groups_share_one_draw_that_none_can_change() -> None:
    first = bootstrap_weights(100, seed=4)
    assert bootstrap_weights(100, seed=4) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 7


def test_large_weights_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "MOST_KEPT", 1000)
    assert bootstrap_weights(6, seed=5, resamples=200) is not bootstrap_weights(6, seed=5, resamples=200)
    np.testing.assert_array_equal(bootstrap_weights(6, seed=5, resamples=200), drawn(6, 5, 200))
