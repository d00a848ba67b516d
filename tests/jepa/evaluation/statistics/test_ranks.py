"""Spearman's correlation."""

import numpy as np
import pytest
import scipy.stats

from jepa.evaluation.statistics import rank_correlation


def test_rank_correlation_is_spearman_s_with_ties() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 40), rng.integers(0, 5, 40)
    assert rank_correlation(a, b) == pytest.approx(scipy.stats.spearmanr(a, b).statistic)
    assert rank_correlation([1, 2, 3], [1, 8, 27]) == pytest.approx(1) and np.isnan(rank_correlation([1, 1], [1, 2]))
