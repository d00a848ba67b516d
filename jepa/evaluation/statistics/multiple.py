"""Many tests at once."""

import numpy as np
from numpy.typing import ArrayLike

from jepa.evaluation.statistics.estimates import Floats

LEVEL = 0.05
"""At which a difference counts as one, of all tests together."""


def holm(p_values_N: ArrayLike) -> Floats:
    """Returns p-values (N,) adjusted by Holm's step-down method: reject where one is below the level for all together.

    A missing p-value (NaN) stays missing and is not counted among the tests.
    """
    p_N = np.asarray(p_values_N, dtype=np.float64)
    adjusted_N, given_N = np.full(p_N.shape, np.nan), np.isfinite(p_N)
    if given_N.any():
        # Half a second to import, which comparisons without a test are spared.
        from statsmodels.stats.multitest import multipletests

        adjusted_N[given_N] = multipletests(p_N[given_N], method="holm")[1]
    return adjusted_N
