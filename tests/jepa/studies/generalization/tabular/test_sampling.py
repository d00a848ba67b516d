"""The plug-in estimate: its limit, and the interior minimum of its risk."""

import numpy as np
import pytest

from jepa.studies.generalization.tabular.operators import operators, product_of, spectral_risk
from jepa.studies.generalization.tabular.optimum import shared_optimum
from jepa.studies.generalization.tabular.sampling import estimated_operators
from jepa.studies.generalization.tabular.worlds import Floats, make_tabular_world

RING = make_tabular_world("ring", 24, 1.5, 0)
SIZES = (1, 3, 5, 7, 9, 13, 17, 24)


def mean_risks(samples: int) -> Floats:
    """Returns the mean over 20 draws of the largest risk of an action, for each size."""
    risks = [
        [spectral_risk(RING, product_of(RING, shared_optimum(RING, k, estimate))).max() for k in SIZES]
        for estimate in (estimated_operators(RING, samples, seed) for seed in range(20))
    ]
    return np.asarray(np.mean(risks, axis=0))


def test_the_estimate_ends_at_the_operator() -> None:
    error = np.abs(estimated_operators(RING, 10**8, 0) - operators(RING)).max()
    assert error < 2e-3
    assert np.abs(estimated_operators(RING, 10**4, 0) - operators(RING)).max() > 10 * error


def test_the_best_size_lies_inside_and_grows_with_the_samples() -> None:
    means = {samples: mean_risks(samples) for samples in (50, 200, 1000, 5000)}
    best = [SIZES[int(mean.argmin())] for mean in means.values()]
    assert best == sorted(best) and best == [3, 7, 9, 13]
    for mean in means.values():
        assert mean[0] > 1.1 * mean.min() and mean[-1] > 1.1 * mean.min()
    assert means[200] == pytest.approx([3.56, 1.97, 1.09, 0.90, 1.15, 1.69, 2.11, 2.51], rel=0.05)
