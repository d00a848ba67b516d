"""Latent worlds: stationary processes whose state z is known, and pairs of successive or jointly noised states.

    z' = ρ z + √(1-ρ²) η,   z and η of one generalised normal distribution, p(z) ∝ exp(-|z/s|^α), of variance 1
α = 2 is the Ornstein-Uhlenbeck process, the only one of these that keeps its distribution. With actions the process is
z' = ρz + Ba + η, Cov η = (1-ρ²) I - B Bᵀ for standard normal a, which keeps N(0, I) too.
Shapes: N samples, D state dimensions, A action dimensions.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jepa.core.errors import InputError

Floats = NDArray[np.float32]
PairMode = Literal["chain", "anchor"]


@dataclass(frozen=True)
class LatentWorld:
    """Independent coordinates, each with its own correlation from one step to the next."""

    rho_D: tuple[float, ...]
    """correlation of a coordinate and its successor, each inside (0, 1)"""
    alpha: float = 2.0
    """shape of the distribution: 2 Gaussian, 1 Laplace, below it heavy tails, towards infinity uniform"""
    pair_mode: PairMode = "chain"
    """`chain`: a state and its successor; `anchor`: two states noised from a third, whose correlation is ρ²"""

    def __post_init__(self) -> None:
        if not self.rho_D or not all(0 < rho < 1 for rho in self.rho_D):
            raise InputError(f"rho must lie inside (0, 1) in each dimension, got {self.rho_D}")
        if not self.alpha > 0:
            raise InputError(f"alpha must be positive, got {self.alpha}")

    @property
    def size(self) -> int:
        """Returns D."""
        return len(self.rho_D)

    def states(self, n: int, rng: np.random.Generator) -> Floats:
        """Returns independent states (N, D) of variance 1."""
        return generalised_normal((n, self.size), self.alpha, rng)

    def successors(self, z_ND: Floats, rng: np.random.Generator) -> Floats:
        """Returns one successor of each state, ρz + √(1-ρ²)η."""
        rho = np.asarray(self.rho_D, dtype=np.float32)
        following: Floats = rho * z_ND + np.sqrt(1 - rho**2) * self.states(len(z_ND), rng)
        return following

    def pairs(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Returns two views (N, D) each, as `pair_mode` says."""
        z_ND = self.states(n, rng)
        if self.pair_mode == "chain":
            return z_ND, self.successors(z_ND, rng)
        return self.successors(z_ND, rng), self.successors(z_ND, rng)


@dataclass(frozen=True)
class ActedWorld:
    """A Gaussian world that standard normal actions move."""

    rho: float
    gain_DA: Floats
    """B"""

    def __post_init__(self) -> None:
        largest = float(np.linalg.eigvalsh(self.gain_DA @ self.gain_DA.T).max())
        if largest >= 1 - self.rho**2:
            raise InputError(
                f"the actions' gain must keep B Bᵀ below 1 - ρ² = {1 - self.rho**2:.3g}, got {largest:.3g}"
            )

    @property
    def noise_DD(self) -> Floats:
        """Returns Cov η = (1-ρ²) I - B Bᵀ."""
        covariance: Floats = (1 - self.rho**2) * np.eye(len(self.gain_DA)) - self.gain_DA @ self.gain_DA.T
        return covariance.astype(np.float32)

    def transitions(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Returns states (N, D), actions (N, A) and next states (N, D)."""
        size, actions = self.gain_DA.shape
        z_ND = rng.standard_normal((n, size), dtype=np.float32)
        a_NA = rng.standard_normal((n, actions), dtype=np.float32)
        root_DD = np.linalg.cholesky(self.noise_DD)
        eta_ND = rng.standard_normal((n, size), dtype=np.float32) @ root_DD.T
        return z_ND, a_NA, self.rho * z_ND + a_NA @ self.gain_DA.T + eta_ND


def acted_world(size: int, actions: int, rho: float, strength: float, rng: np.random.Generator) -> ActedWorld:
    """Returns a world with orthogonal directions of action that make up a share of the transition's noise.

    Args:
        size: D.
        actions: A, at most D.
        rho: correlation of a state and its successor.
        strength: share of the variance 1 - ρ² that the actions make along their directions, inside (0, 1).
        rng: draws the directions.

    Raises:
        InputError: there are more actions than dimensions.
    """
    if actions > size:
        raise InputError(f"actions must be at most the state's dimensions ({size}), got {actions}")
    directions = np.linalg.qr(rng.standard_normal((size, actions)))[0]
    return ActedWorld(rho, (math.sqrt(strength * (1 - rho**2)) * directions).astype(np.float32))


def generalised_normal(shape: tuple[int, ...], alpha: float, rng: np.random.Generator) -> Floats:
    """Returns independent draws of density ∝ exp(-|z/s|^α), s such that the variance is 1."""
    if alpha == 2:
        return rng.standard_normal(shape, dtype=np.float32)
    size = rng.standard_gamma(1 / alpha, shape) ** (1 / alpha)
    sign = rng.integers(0, 2, shape) * 2 - 1
    draws: Floats = (sign * size * unit_scale(alpha)).astype(np.float32)
    return draws


def unit_scale(alpha: float) -> float:
    """Returns s = √(Γ(1/α) / Γ(3/α)), for which the variance is 1."""
    return math.exp((math.lgamma(1 / alpha) - math.lgamma(3 / alpha)) / 2)
