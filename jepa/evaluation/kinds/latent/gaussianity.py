"""How far latents are from a standard Gaussian: SIGReg's statistic, of a batch of given size, whatever was looked at.

With c the empirical characteristic function along a direction and φ that of the Gaussian, SIGReg is N Σ_k w_k |c - φ|².
Its expectation over N independent latents is

    E T = Σ_k w_k (1 - |γ_k|²) + N Σ_k w_k |γ_k - φ_k|²,

γ the latents' own characteristic function: about 1 for Gaussian latents at any N, and in proportion to N otherwise. The
figure is this expectation for one N, the size of a training batch. The second sum is estimated from pairs of frames of
different episodes alone, since those of one episode are alike.

Shapes: G episodes, N frames, D latent dimensions, M directions, K knots, J blocks of episodes.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from jepa.evaluation.statistics import Estimate, jackknife_blocks, jackknife_interval
from jepa.objectives.terms.sigreg import Quadrature, SIGReg

Floats = NDArray[np.float64]


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
