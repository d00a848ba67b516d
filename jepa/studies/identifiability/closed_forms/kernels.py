"""Kernels of pairs: which functions of a state stay most alike from one view to the other.

A whitened encoder that aligns its views converges to the functions with the greatest correlations. For a Gaussian world
the kernel's singular values are 1, ρ, ρ², …, and the second function is the state itself. For other distributions
that function is monotone but curved, and its R² with the state is what is left of linear identifiability.
"""

import heapq
import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from jepa.studies.identifiability.world import unit_scale

Floats = NDArray[np.float64]
TAIL = 1e-9
"""Probability beyond a grid's ends."""


def ou_singular_values(rho: float, count: int = 5, points: int = 401, reach: float = 7.0) -> Floats:
    """Returns the largest singular values of D^{-1/2} J D^{-1/2} on a grid, J the law of (z, z'): 1, ρ, ρ², …"""
    grid, step = np.linspace(-reach, reach, points, retstep=True)
    density = np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
    noise = math.sqrt(1 - rho**2)
    transition = np.exp(-(((grid[:, None] - rho * grid) / noise) ** 2) / 2) / (noise * math.sqrt(2 * math.pi))
    joint = transition * density * step**2
    values: Floats = np.linalg.svd(_normalised(joint), compute_uv=False)[:count]
    return values


@lru_cache(maxsize=32)
def whitening_optimum(alpha: float, rho: float, points: int = 801) -> float:
    """Returns R² of the state from the best aligned function of variance 1, for views noised from one anchor.

    It is the second left singular function of the kernel from anchor to view, by quadrature on a grid. For α ≤ 1 the
    result moves with the grid's ends, and is of the right order only.
    """
    scale = unit_scale(alpha)
    reach = scale * float(gammaincinv(1 / alpha, 1 - TAIL)) ** (1 / alpha)
    noise = math.sqrt(1 - rho**2)
    anchor, view = np.linspace(-reach, reach, points), np.linspace(-reach, reach, points) * (rho + noise)
    prior = _density(anchor, alpha, scale)
    joint_VA = _density((view[:, None] - rho * anchor) / noise, alpha, scale) * prior
    joint_VA /= joint_VA.sum()
    marginal_V = joint_VA.sum(1)
    kernel_VA = _normalised(joint_VA)
    left, _, _ = np.linalg.svd(kernel_VA)
    function_V = left[:, 1] / np.sqrt(np.maximum(marginal_V, 1e-300))
    seen = marginal_V > TAIL / points
    phi = np.interp(anchor, view[seen], function_V[seen])
    weight = prior / prior.sum()
    phi_mean, state_mean = weight @ phi, weight @ anchor
    covariance = weight @ ((phi - phi_mean) * (anchor - state_mean))
    return float(covariance**2 / ((weight @ (phi - phi_mean) ** 2) * (weight @ (anchor - state_mean) ** 2)))


def best_aligned(rho_D: Sequence[float]) -> list[tuple[int, ...]]:
    """Returns the multi-indices of the D products of Hermite polynomials with the greatest correlations Π ρ_i^a_i.

    These are what a whitened encoder of a Gaussian world finds; it finds the state if all of them have degree 1.
    """
    size = len(rho_D)

    def entry(index: tuple[int, ...]) -> tuple[float, int, tuple[int, ...]]:
        return -math.prod(rho**k for rho, k in zip(rho_D, index, strict=True)), sum(index), index

    # A product is always less alike than each of its factors, so that the next best one is among the grown ones.
    waiting = [entry(tuple(int(i == j) for j in range(size))) for i in range(size)]
    heapq.heapify(waiting)
    found: list[tuple[int, ...]] = []
    while len(found) < size:
        index = heapq.heappop(waiting)[2]
        if index in found:
            continue
        found.append(index)
        for i in range(size):
            heapq.heappush(waiting, entry((*index[:i], index[i] + 1, *index[i + 1 :])))
    return found


def state_is_recovered(rho_D: Sequence[float]) -> bool:
    """Returns whether alignment prefers every coordinate to the square of the slowest one: min ρ > (max ρ)²."""
    return min(rho_D) > max(rho_D) ** 2


def _density(z: Floats, alpha: float, scale: float) -> Floats:
    value: Floats = np.exp(-(np.abs(z / scale) ** alpha)) * alpha / (2 * scale * math.gamma(1 / alpha))
    return value


def _normalised(joint: Floats) -> Floats:
    """Returns D^{-1/2} J D^{-1/2}; where a marginal vanishes, zero."""
    left, right = joint.sum(1), joint.sum(0)
    kernel: Floats = joint / np.sqrt(np.maximum(left[:, None] * right, 1e-300))
    return kernel
