"""Canonical correlations of latents with what precedes them: a linear estimate of the transition operator's spectrum.

The operator M̄ takes functions of the next state to functions of the state and the action; its singular values are the
largest correlations that pairs of such functions can have (arXiv:2606.27014, Theorem 4.3). Here the functions of the
next state are affine ones of its latent, and those of state and action are affine ones of given values, so that each
estimate is one from below. The constant function, whose singular value is 1, is left out by centring. Maps are fitted
to some episodes and correlations taken on others, for those of the fit are too large.
Shapes: N pairs of frames an action block apart, X values of latent and action, D latent, k directions kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Whitening:
    """An affine map to uncorrelated directions of variance 1."""

    mean_X: Floats
    weight_Xk: Floats

    def __call__(self, x_NX: Floats) -> Floats:
        """Returns (N, k)."""
        white: Floats = (x_NX - self.mean_X) @ self.weight_Xk
        return white

    @classmethod
    def of(cls, x_NX: Floats, ridge: float, cut: float) -> "Whitening":
        """Returns the whitening of rows.

        Args:
            x_NX: rows.
            ridge: added to each variance, as a share of the mean one.
            cut: directions with less than this share of the largest variance are left out.
        """
        mean_X = x_NX.mean(0)
        values, vectors = np.linalg.eigh(np.cov(x_NX, rowvar=False, bias=True).reshape(x_NX.shape[1], -1))
        values, vectors = values[::-1], vectors[:, ::-1]
        kept = values > max(cut * values[0], 1e-300)
        scale = (values[kept] + ridge * values.mean()) ** -0.5
        return cls(mean_X, vectors[:, kept] * scale)


@dataclass(frozen=True)
class CanonicalMap:
    """Pairs of directions, of what precedes and of the next latent, the most correlated first."""

    before: Whitening
    after: Whitening
    left_kK: Floats
    right_kK: Floats

    def variates(self, x_NX: Floats, next_ND: Floats) -> tuple[Floats, Floats]:
        """Returns both sides' values along the pairs, (N, K) each."""
        return self.before(x_NX) @ self.left_kK, self.after(next_ND) @ self.right_kK


def fit_canonical(x_NX: Floats, next_ND: Floats, ridge: float, cut: float) -> CanonicalMap | None:
    """Returns the regularised canonical directions; None where one of the sides does not vary.

    Args:
        x_NX: latents, or latents and actions, of the fitted episodes.
        next_ND: the latents one action block later.
        ridge: of what precedes, as a share of its mean variance, which keeps few pairs from being learned by heart.
        cut: directions with less than this share of the largest variance are left out, on either side.
    """
    before, after = Whitening.of(x_NX, ridge, cut), Whitening.of(next_ND, 0.0, cut)
    if not before.weight_Xk.shape[1] or not after.weight_Xk.shape[1]:
        return None
    cross = before(x_NX).T @ after(next_ND) / len(x_NX)
    left, _, right = np.linalg.svd(cross, full_matrices=False)
    return CanonicalMap(before, after, left, right.T)


def correlations(before_NK: Floats, after_NK: Floats) -> Floats:
    """Returns the correlation of each pair of variates, (K,), 0 where it is negative or one does not vary."""
    one, other = before_NK - before_NK.mean(0), after_NK - after_NK.mean(0)
    spread = np.sqrt((one**2).sum(0) * (other**2).sum(0))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(spread > 0, (one * other).sum(0) / spread, 0.0)
    clipped: Floats = found.clip(0.0, 1.0)
    return clipped


def tails(correlation_K: Floats) -> Floats:
    """Returns Σ_{i>k} σ_i² for k = 0 … K: what a factorisation of rank k leaves out, (K+1,)."""
    squares = correlation_K**2
    return np.concatenate([np.cumsum(squares[::-1])[::-1], [0.0]])
