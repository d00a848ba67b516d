"""Holm's correction against its definition."""

import numpy as np
import pytest

from jepa.evaluation.statistics import holm


def test_holm_multiplies_by_the_tests_that_are_left() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])


def test_a_missing_test_is_not_counted() -> None:
    adjusted = holm([0.01, np.nan, 0.03])
    assert np.isnan(adjusted[1]) and adjusted[[0, 2]] == pytest.approx([0.02, 0.03])
    assert holm([]).shape == (0,) and np.isnan(holm([np.nan])).all()
