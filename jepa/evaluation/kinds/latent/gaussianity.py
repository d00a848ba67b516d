"""How far latents are from Gaussian: SIGReg's statistic, and each dimension's distance from a Gaussian of its spread.

SIGReg is that of a batch of given size, whatever was looked at.

With c the empirical characteristic function along a direction and φ that of the Gaussian, SIGReg is N Σ_k w_k |c - φ|².
Its expectation over N independent latents is

    E T = Σ_k w_k (1 - |γ_k|²) + N Σ_k w_k |γ_k - φ_k|²,

γ the latents' own characteristic function: about 1 for Gaussian latents at any N, and in proportion to N otherwise. The
figure is this expectation for one N, the size of a training batch. The second sum is estimated from pairs of frames of
different episodes alone, since those of one episode are alike.

A dimension is compared with the Gaussian of its own mean and spread by the Kolmogorov-Smirnov distance, the largest
gap of the two distribution functions: SIGReg along random directions hardly sees a single dimension with two humps.

Shapes: G episodes, N frames, D latent dimensions, M directions, K knots, J blocks of episodes.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr

from jepa.evaluation.statistics import Estimate, Key, jackknife_blocks, jackknife_interval, jackknifed
from jepa.objectives.terms.sigreg import Quadrature, SIGReg

Floats = NDArray[np.float64]


DIMENSION_BLOCKS = 20
"""Most blocks of episodes that are left out for an interval of the dimensions' distances, which need sorting."""


def batch_sigreg(latents: list[Floats], batch: int, seed: int, blocks: int) -> Estimate:
    """Returns what SIGReg of `batch` independent latents would be on average, with a jackknife interval over episodes.

    NaN where there is one episode alone.

    Args:
        latents: of each episode, (n, D).
        batch: N.
        seed: of the directions.
        blocks: most blocks of episodes that are left out in turn.
    """
    sigreg = SIGReg()
    quadrature = Quadrature.of(sigreg.config, torch.zeros((), dtype=torch.float64))
    phi_K1, weight_K1 = (values[:, :, 0].numpy() for values in (quadrature.phi_K11, quadrature.weight_K11))
    knot_K1 = quadrature.dt * np.arange(1, len(phi_K1) + 1)[:, None]
    direction_DM = sigreg.directions(latents[0].shape[1], step=0, seed=seed).double().numpy()
    sum_GKM = np.stack([np.exp(1j * knot_K1[:, None] * (z_ND @ direction_DM)).sum(1) for z_ND in latents])
    count_G = np.array([len(z_ND) for z_ND in latents], dtype=np.float64)

    def statistic(left_out_G: NDArray[np.bool_]) -> float:
        # Less what is left out, for there are many blocks and each leaves out little.
        sum_KM, count = total_KM - sum_GKM[left_out_G].sum(0), count_G[~left_out_G].sum()
        own_pairs_KM = pairs_KM - (np.abs(sum_GKM[left_out_G]) ** 2).sum(0)
        pairs = count**2 - (count_G[~left_out_G] ** 2).sum()
        square_KM = (np.abs(sum_KM) ** 2 - own_pairs_KM) / pairs if pairs else np.full(sum_KM.shape, np.nan)
        gap_KM = square_KM - 2 * phi_K1 * sum_KM.real / count + phi_K1**2
        return float((weight_K1 * (1 - square_KM + batch * gap_KM)).sum(0).mean())

    total_KM, pairs_KM = sum_GKM.sum(0), (np.abs(sum_GKM) ** 2).sum(0)
    groups = len(latents)
    left_out = [statistic(~kept_G) for kept_G in jackknife_blocks(groups, blocks)] if groups > 1 else [np.nan]
    value = statistic(np.zeros(groups, dtype=bool))
    return jackknife_interval(value, left_out, groups, min(0.0, value), np.inf)


def dimension_distances(latents: list[Floats], blocks: int) -> dict[Key, Estimate]:
    """Returns the mean and the largest distance of a dimension from Gaussian, with jackknife intervals over episodes.

    0 is Gaussian; N independent Gaussian frames have about 0.6 / √N. Dimensions that never vary are left out.

    Args:
        latents: of each episode, (n, D).
        blocks: most blocks of episodes that are left out in turn.
    """

    def figures(some: Sequence[Floats]) -> dict[Key, float]:
        distance_D = gaussian_distance(np.concatenate(some))
        found = distance_D[np.isfinite(distance_D)]
        if not len(found):
            return {}
        return {
            ("gaussian_distance", "mean"): float(found.mean()),
            ("gaussian_distance", "largest"): float(found.max()),
        }

    ranges = {"gaussian_distance": (0.0, 1.0)}
    return jackknifed(latents, figures, min(blocks, DIMENSION_BLOCKS), ranges)


def gaussian_distance(z_ND: Floats) -> Floats:
    """Returns the Kolmogorov-Smirnov distance of each dimension from the Gaussian of its mean and spread, (D,)."""
    spread_D = z_ND.std(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected_ND = ndtr(np.sort((z_ND - z_ND.mean(0)) / spread_D, axis=0))
    rank_N1 = np.arange(len(z_ND) + 1)[:, None] / len(z_ND)
    gap_D = np.maximum(expected_ND - rank_N1[:-1], rank_N1[1:] - expected_ND).max(0)
    distance_D: Floats = np.where(spread_D > 0, gap_D, np.nan)
    return distance_D
