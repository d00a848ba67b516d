"""Rank correlation."""

import numpy as np
from numpy.typing import ArrayLike


def rank_correlation(a_N: ArrayLike, b_N: ArrayLike) -> float:
    """Returns Spearman's rank correlation of paired numbers, ties at their mean rank; NaN where either is constant."""
    from scipy.stats import rankdata  # a third of a second to import, which commands that show no figure are spared

    ranks = [rankdata(np.asarray(values, dtype=np.float64)) for values in (a_N, b_N)]
    a, b = (rank - rank.mean() for rank in ranks)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")
