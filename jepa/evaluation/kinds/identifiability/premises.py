"""How far recorded states are from the world that Theorem 5.1 of arXiv:2605.26379 assumes.

It takes states with independent Gaussian dimensions, z' = ρz + √(1-ρ²)η with one ρ for all and noise η that depends on
nothing, in which every frame of an episode has the same distribution. Different rates can still be
separated where min ρ > (max ρ)² (appendix F).
Shapes: G episodes, T frames of an episode K steps apart, Q dimensions of the state, N frames of all episodes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jepa.evaluation.statistics import Key

Floats = NDArray[np.float64]
RANGES = {
    "lag_correlation": (-1.0, 1.0),
    "component_correlation": (0.0, 1.0),
    "rate_margin": (-2.0, 1.0),
    "noise_kurtosis": (-2.0, np.inf),
    "excess_kurtosis": (-2.0, np.inf),
}
"""Least and greatest values of figures by metric, where they are not 0 and infinity."""


def premises(sequences: Sequence[Floats], names: Sequence[str]) -> dict[Key, float]:
    """Returns what is measured of states (T, Q), by metric and dimension.

    - `lag_correlation`: ρ, between a frame and the next.
    - `transition_noise`: variance of z' - ρz over that of z; 1 - ρ² in a stationary linear world.
    - `noise_ratio`: the same over 1 - ρ²; 1 there. Not defined where ρ is 1.
    - `noise_kurtosis`, `excess_kurtosis`: of z' - ρz and of z; 0 for a Gaussian, -1.2 for a uniform distribution.
    - `component_correlation`: the largest absolute correlation of two dimensions; 0 where they are independent.
    - `rate_margin`: min ρ - (max ρ)²; dimensions can be separated where it is positive.
    """
    from scipy.stats import kurtosis  # a third of a second to import, which protocols that name this kind are spared

    z_NQ = np.concatenate(sequences)
    before = np.concatenate([z_TQ[:-1] for z_TQ in sequences])
    after = np.concatenate([z_TQ[1:] for z_TQ in sequences])
    found: dict[Key, float] = {}
    rates = []
    for index, name in enumerate(names):
        variance = float(z_NQ[:, index].var())
        if variance <= 0:
            continue
        rho = _correlation(before[:, index], after[:, index])
        residual = after[:, index] - rho * before[:, index]
        noise, expected = float(residual.var()) / variance, 1 - rho**2
        rates.append(rho)
        found |= {("lag_correlation", name): rho, ("transition_noise", name): noise}
        found["excess_kurtosis", name] = float(kurtosis(z_NQ[:, index]))
        if expected > 1e-6:
            found |= {("noise_ratio", name): noise / expected, ("noise_kurtosis", name): float(kurtosis(residual))}
    if rates:
        found["rate_margin", None] = min(rates) - max(rates) ** 2
    if len(rates) > 1:
        varying = z_NQ[:, z_NQ.var(0) > 0]
        found["component_correlation", None] = float(np.abs(np.triu(np.corrcoef(varying.T), 1)).max())
    return found


def start_and_end(sequences: Sequence[Floats], names: Sequence[str]) -> dict[Key, float]:
    """Returns how the first and the last frames of episodes differ: Kolmogorov-Smirnov distance and its p-value.

    `start_end_gap` is 0 where a dimension has the same distribution at both, and `start_end_p` small where it has not.
    """
    from scipy.stats import ks_2samp

    first, last = (np.stack([z_TQ[row] for z_TQ in sequences]) for row in (0, -1))
    found: dict[Key, float] = {}
    for index, name in enumerate(names):
        test = ks_2samp(first[:, index], last[:, index])
        found |= {("start_end_gap", name): float(test.statistic), ("start_end_p", name): float(test.pvalue)}
    return found


def rate(sequences: Sequence[Floats]) -> float:
    """Returns the mean over dimensions that vary of the correlation between a frame and the next."""
    found = premises(sequences, [str(index) for index in range(sequences[0].shape[1])])
    rates = [value for (metric, _), value in found.items() if metric == "lag_correlation"]
    return float(np.mean(rates)) if rates else float("nan")


def _correlation(one: Floats, other: Floats) -> float:
    spread = float(one.std() * other.std())
    return float(((one - one.mean()) * (other - other.mean())).mean()) / spread if spread > 0 else 0.0
