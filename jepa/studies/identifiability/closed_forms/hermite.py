"""Maps of a Gaussian world in the Hermite basis, in which the paper's loss and Theorem 5.3 are sums of squares.

With He_a the product of normalised Hermite polynomials of a multi-index a, E[He_a(z') He_b(z)] = ρ^|a| δ_ab, so that

    h = Σ_a c_a He_a   has   L(h) = E‖h(z') - h(z)‖² = 2 Σ_i Σ_|a|≥1 (1 - ρ^|a|) (c_a^(i))²
Shapes: N samples, D state dimensions, O components of the map, P terms of the expansion.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HermiteMap:
    """h(z) = Σ_p c_p He_{a_p}(z)."""

    degree_PD: NDArray[np.int64]
    """multi-indices a_p"""
    coefficient_OP: Floats

    def __call__(self, z_ND: Floats) -> Floats:
        """Returns h of each state, (N, O)."""
        powers_KND = hermite(z_ND, int(self.degree_PD.max()))
        dimension_D = np.arange(z_ND.shape[1])
        terms_PN = np.stack([powers_KND[degree_D, :, dimension_D].prod(0) for degree_D in self.degree_PD])
        value_NO: Floats = (self.coefficient_OP @ terms_PN).T
        return value_NO

    @property
    def total_P(self) -> NDArray[np.int64]:
        """Returns the degree |a| of each term."""
        total: NDArray[np.int64] = self.degree_PD.sum(1)
        return total

    @property
    def linear_OD(self) -> Floats:
        """Returns M = E[h zᵀ], the coefficients of degree 1."""
        first = self.total_P == 1
        matrix: Floats = self.coefficient_OP[:, first] @ self.degree_PD[first]
        return matrix

    @property
    def covariance_OO(self) -> Floats:
        """Returns Cov h = Σ_|a|≥1 c_a c_aᵀ."""
        varying = self.coefficient_OP[:, self.total_P >= 1]
        covariance: Floats = varying @ varying.T
        return covariance

    @property
    def nonlinear(self) -> float:
        """Returns W_nl, the variance of all terms of degree 2 and above."""
        return float((self.coefficient_OP[:, self.total_P >= 2] ** 2).sum())

    def loss(self, rho: float) -> float:
        """Returns E‖h(z') - h(z)‖² by the spectral identity."""
        return float((2 * (1 - rho**self.total_P) * self.coefficient_OP**2).sum())


def hermite(x: Floats, highest: int) -> Floats:
    """Returns the normalised Hermite polynomials of degree 0 … `highest` of each value, stacked first."""
    values = [np.ones_like(x), x]
    for degree in range(1, highest):
        values.append((x * values[degree] - np.sqrt(degree) * values[degree - 1]) / np.sqrt(degree + 1))
    return np.stack(values[: highest + 1])


def random_map(size: int, highest: int, rng: np.random.Generator, nonlinear: float = 0.1) -> HermiteMap:
    """Returns a random map of D dimensions to D whose terms of degree 2 and above have about a given share of variance.

    Args:
        size: D.
        highest: degree.
        rng: draws a rotation, its distortion and the further coefficients.
        nonlinear: share of the variance.
    """
    degree_PD = np.array([a for a in itertools.product(range(highest + 1), repeat=size) if 1 <= sum(a) <= highest])
    coefficient_OP = rng.standard_normal((size, len(degree_PD)))
    higher_P = degree_PD.sum(1) > 1
    coefficient_OP[:, higher_P] *= np.sqrt(nonlinear * size / (coefficient_OP[:, higher_P] ** 2).sum())
    rotation_DD = np.linalg.qr(rng.standard_normal((size, size)))[0]
    linear_DD = np.sqrt(1 - nonlinear) * rotation_DD + 0.05 * rng.standard_normal((size, size))
    coefficient_OP[:, ~higher_P] = linear_DD @ degree_PD[~higher_P].T
    return HermiteMap(degree_PD, coefficient_OP)


def whitened(h: HermiteMap) -> HermiteMap:
    """Returns the same map with Cov h = I, to which Theorem 5.1 applies."""
    root_OO = np.linalg.cholesky(h.covariance_OO)
    return HermiteMap(h.degree_PD, np.linalg.solve(root_OO, h.coefficient_OP))


def quadrature_loss(h: HermiteMap, rho: float, order: int) -> float:
    """Returns E‖h(z') - h(z)‖² by Gauss-Hermite quadrature over z and the noise, exact up to degree `order` - 1.

    It takes order^(2D) points.
    """
    node_Q, weight_Q = np.polynomial.hermite_e.hermegauss(order)
    size = h.degree_PD.shape[1]
    nodes_NX = np.array(list(itertools.product(node_Q, repeat=2 * size)))
    weight_N = np.array(list(itertools.product(weight_Q / weight_Q.sum(), repeat=2 * size))).prod(1)
    z_ND, noise_ND = nodes_NX[:, :size], nodes_NX[:, size:]
    step_NO = h(rho * z_ND + np.sqrt(1 - rho**2) * noise_ND) - h(z_ND)
    return float(weight_N @ (step_NO**2).sum(1))


@dataclass(frozen=True)
class BoundTerms:
    """Theorem 5.3 and its steps for one map, all exact; the theorem says that no slack is negative."""

    nonlinear_slack: float
    """D - W_nl"""
    rotation_slack: float
    """ε + W_nl - ‖M - Q‖_F"""
    error: float
    """min_Q E‖h - Qz‖² = ‖M - Q‖_F² + W_nl"""
    bound: float
    """D + (ε + D)²"""


def bound_terms(h: HermiteMap, rho: float) -> BoundTerms:
    """Returns the terms of Theorem 5.3 from the coefficients alone."""
    covariance_OO, linear_OD = h.covariance_OO, h.linear_OD
    epsilon = float(np.linalg.norm(covariance_OO - np.eye(len(covariance_OO))))
    delta = max(0.0, h.loss(rho) - 2 * (1 - rho) * float(np.trace(covariance_OO)))
    excess = delta / (2 * rho * (1 - rho))
    left, _, right = np.linalg.svd(linear_OD)
    distance = float(np.linalg.norm(linear_OD - left @ right))
    return BoundTerms(
        nonlinear_slack=excess - h.nonlinear,
        rotation_slack=epsilon + h.nonlinear - distance,
        error=distance**2 + h.nonlinear,
        bound=excess + (epsilon + excess) ** 2,
    )
