"""How far latents h are from a rotation of the world's own state z, and how far they may be (arXiv:2605.26379).

For latents of a Gaussian world, z' = ρz + √(1-ρ²)η, with as many dimensions as z, Theorem 5.3 bounds the distance to
the closest rotation Q by what is measured without knowing z:

    ε = ‖Cov h - I‖_F,   δ = max(0, E‖h' - h‖² - 2(1-ρ) tr Cov h),   D = δ / (2ρ(1-ρ)),
    min_Q E‖h - Qz‖² ≤ D + (ε + D)²

The theorem takes E h = 0, so that latents are centred first. It holds for Gaussian z alone.
Shapes: N samples, H latent dimensions, D state dimensions; H = D where a rotation is measured.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RANK_CUT = 1e-12
"""Relative size below which a direction of the inputs' correlation matrix counts as absent."""


@dataclass(frozen=True)
class AffineMap:
    """The least-squares map y ≈ W x + b."""

    weight_OI: Floats
    bias_O: Floats

    def __call__(self, x_NI: ArrayLike) -> Floats:
        """Returns W x + b for each row, (N, O)."""
        mapped_NO: Floats = np.asarray(x_NI, dtype=np.float64) @ self.weight_OI.T + self.bias_O
        return mapped_NO


def fit_affine(x_NI: ArrayLike, y_NO: ArrayLike) -> AffineMap:
    """Returns ordinary least squares with intercept; directions in which x does not vary get no weight.

    Raises:
        ValueError: there are not equally many rows, or fewer than two.
    """
    x, y = _paired(x_NI, y_NO)
    x_mean, y_mean = x.mean(0), y.mean(0)
    scale_I = x.std(0)
    scale_I = np.where(scale_I > 0, scale_I, 1.0)
    standard = (x - x_mean) / scale_I
    gram, cross = standard.T @ standard / len(x), standard.T @ (y - y_mean) / len(x)
    weight_OI = np.linalg.lstsq(gram, cross, rcond=RANK_CUT)[0].T / scale_I
    return AffineMap(weight_OI, y_mean - weight_OI @ x_mean)


def explained(predicted_NO: ArrayLike, true_NO: ArrayLike) -> float:
    """Returns the pooled R², 1 - Σ‖y - ŷ‖² / Σ‖y - mean y‖²; 0 where y does not vary."""
    predicted, true = _paired(predicted_NO, true_NO)
    total = float(((true - true.mean(0)) ** 2).sum())
    return 1.0 - float(((true - predicted) ** 2).sum()) / total if total > 0 else 0.0


def linear_r2(x_NI: ArrayLike, y_NO: ArrayLike) -> float:
    """Returns the pooled R² of y from x by least squares with intercept, on the samples of the fit."""
    return explained(fit_affine(x_NI, y_NO)(x_NI), y_NO)


def orthogonality_error(z_ND: ArrayLike, h_ND: ArrayLike, rescale: bool = False) -> float:
    """Returns ‖AᵀA - I‖_F / √D of the least-squares map h ≈ A z + b, 0 for a rotation.

    Args:
        z_ND: states.
        h_ND: latents.
        rescale: divide A by the one factor that makes ‖A‖_F² = D, so that latents of another size count as rotated.
    """
    weight = fit_affine(z_ND, h_ND).weight_OI
    size = weight.shape[1]
    if rescale:
        squared = float((weight**2).sum())
        weight = weight * np.sqrt(size / squared) if squared > 0 else weight
    return float(np.linalg.norm(weight.T @ weight - np.eye(size)) / np.sqrt(size))


def closest_rotation(z_ND: ArrayLike, h_ND: ArrayLike) -> Floats:
    """Returns the orthogonal Q (D, D) that makes E‖h - Qz‖² least, reflections included; both are centred first."""
    z, h = _centred_pair(z_ND, h_ND)
    left, _, right = np.linalg.svd(h.T @ z / len(z))
    rotation: Floats = left @ right
    return rotation


def procrustes_error(z_ND: ArrayLike, h_ND: ArrayLike, centre: bool = True) -> float:
    """Returns min_Q E‖h - Qz‖² over orthogonal Q.

    Args:
        z_ND: states.
        h_ND: latents.
        centre: subtract both means first, as the theorem needs; without it the mean of h counts as error.
    """
    z, h = _centred_pair(z_ND, h_ND) if centre else _paired(z_ND, h_ND)
    nuclear = float(np.linalg.svd(h.T @ z / len(z), compute_uv=False).sum())
    return float((h**2).sum(1).mean() + (z**2).sum(1).mean()) - 2 * nuclear


@dataclass(frozen=True)
class ApproximateBound:
    """The terms of Theorem 5.3; none of them needs to know z."""

    loss: float
    """E‖h' - h‖²"""
    epsilon: float
    """ε, how far the latents are from white"""
    delta: float
    """δ, how far the loss is above that of a rotation, at least 0"""
    excess: float
    """D = δ / (2ρ(1-ρ)), which bounds the variance of h that is not linear in z"""

    @property
    def bound(self) -> float:
        """D + (ε + D)²."""
        return self.excess + (self.epsilon + self.excess) ** 2


def approximate_bound(h_NH: ArrayLike, next_NH: ArrayLike, rho: float) -> ApproximateBound:
    """Returns the terms of Theorem 5.3 for latents of successive states.

    Args:
        h_NH: latents.
        next_NH: latents one transition later.
        rho: correlation of a state and its successor, inside (0, 1).

    Raises:
        ValueError: ρ lies outside (0, 1), or there are not equally many rows.
    """
    if not 0 < rho < 1:
        raise ValueError(f"rho must lie inside (0, 1), got {rho}")
    h, following = _paired(h_NH, next_NH)
    covariance = np.cov(h, rowvar=False, bias=True).reshape(h.shape[1], h.shape[1])
    loss = float(((following - h) ** 2).sum(1).mean())
    epsilon = float(np.linalg.norm(covariance - np.eye(len(covariance))))
    delta = max(0.0, loss - 2 * (1 - rho) * float(np.trace(covariance)))
    return ApproximateBound(loss, epsilon, delta, delta / (2 * rho * (1 - rho)))


@dataclass(frozen=True)
class LinearDynamics:
    """What a linear transition h' ≈ R h + b makes of latents."""

    transition_HH: Floats
    noise_HH: Floats
    """covariance of h' - R h - b"""
    r2: float


def linear_dynamics(h_NH: ArrayLike, next_NH: ArrayLike) -> LinearDynamics:
    """Returns the least-squares linear dynamics of latents; for h = Qz of an isotropic world R = ρI, noise (1-ρ²)I."""
    fitted = fit_affine(h_NH, next_NH)
    residual = np.asarray(next_NH, dtype=np.float64) - fitted(h_NH)
    noise = residual.T @ residual / len(residual)
    return LinearDynamics(fitted.weight_OI, noise, explained(fitted(h_NH), next_NH))


def stationarity_gap(z_ND: ArrayLike, next_ND: ArrayLike) -> float:
    """Returns the largest Kolmogorov-Smirnov distance between one coordinate of states and of their successors.

    0 where every coordinate keeps its distribution, as the theorems need; 1 where none of its values come again.
    """
    z, following = _paired(z_ND, next_ND)
    gaps = []
    for one, other in zip(np.sort(z, axis=0).T, np.sort(following, axis=0).T, strict=True):
        both = np.concatenate([one, other])
        gaps.append(np.abs(_share_up_to(one, both) - _share_up_to(other, both)).max())
    return float(max(gaps))


def _share_up_to(ordered: Floats, values: Floats) -> Floats:
    share: Floats = np.searchsorted(ordered, values, side="right") / len(ordered)
    return share


def _paired(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 2 or second.ndim != 2 or len(first) != len(second) or len(first) < 2:
        raise ValueError(f"two tables of equally many rows, at least 2, are needed, got {first.shape}, {second.shape}")
    return first, second


def _centred_pair(z: ArrayLike, h: ArrayLike) -> tuple[Floats, Floats]:
    first, second = _paired(z, h)
    return first - first.mean(0), second - second.mean(0)
