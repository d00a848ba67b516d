"""The linear view of a latent space that is larger than the state: where in it the state lies.

Latents h (D dimensions) of states z (Q < D, standardised) are regressed on them, h ≈ A z + b. The column space of A is
the Q-dimensional subspace of the latents in which the state lies as far as it lies in them linearly; what a theorem
says of latents with as many dimensions as the state is asked of their projection on it, divided by one factor so that
its mean variance is 1. The subspace is fitted to training episodes, and looked at on held-out ones.
Shapes: N frames, D latent, Q dimensions of the state.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.evaluation.kinds.identifiability.metrics import AffineMap, fit_affine

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """Mean and spread of each dimension of the state; one that never varies is only centred."""

    mean_Q: Floats
    std_Q: Floats

    def __call__(self, z_NQ: Floats) -> Floats:
        """Returns states in units of their spread."""
        return (z_NQ - self.mean_Q) / self.std_Q


@dataclass(frozen=True)
class Readout:
    """Affine maps between latents and standardised states, and the subspace that the state lies in."""

    scaling: Scaling
    to_state: AffineMap
    to_latent: AffineMap
    basis_DQ: Floats | None
    """orthonormal; None where latents have fewer dimensions than the state"""
    factor: float
    """that the projection is multiplied by"""

    def project(self, h_ND: Floats) -> Floats:
        """Returns latents in the subspace, (N, Q), of mean variance 1 on the training episodes."""
        if self.basis_DQ is None:
            raise ValueError("latents with fewer dimensions than the state have no such subspace")
        return self.factor * (h_ND - self.to_latent.bias_O) @ self.basis_DQ


def fit_readout(h_ND: Floats, z_NQ: Floats) -> Readout:
    """Returns the maps fitted to latents and raw states of training frames."""
    spread = z_NQ.std(0)
    scaling = Scaling(z_NQ.mean(0), np.where(spread > 1e-12, spread, 1.0))
    standard = scaling(z_NQ)
    to_latent = fit_affine(standard, h_ND)
    size = standard.shape[1]
    basis, factor = None, 1.0
    if h_ND.shape[1] >= size:
        basis = np.linalg.svd(to_latent.weight_OI, full_matrices=False)[0]
        variance = float((h_ND @ basis).var(0).mean())
        factor = variance**-0.5 if variance > 0 else 1.0
    return Readout(scaling, fit_affine(h_ND, standard), to_latent, basis, factor)
