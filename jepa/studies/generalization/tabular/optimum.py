"""The least spectral risk of K dimensions in closed form (Eckart and Young), per action and for a shared encoder.

For one action it is Σ_{i>K} σ_i²(a), reached by F = Σ_K^{1/2} V_Kᵀ and G = Σ_K^{1/2} U_Kᵀ. A shared encoder whose
weights w(x⁺ | a) do not depend on the action spans the first K right singular vectors of the stack of all M̄(a), with
G_a = F M̄(a)ᵀ. Where they do, it is a weighted low-rank approximation, which has no closed form.
Shapes: A actions, N states, K latent dimensions.
"""

import numpy as np

from jepa.studies.generalization.tabular.operators import Features, operators
from jepa.studies.generalization.tabular.worlds import Floats, TabularWorld


def singular_values(operator_ANN: Floats) -> Floats:
    """Returns the singular values of each action (A, N), the largest first."""
    return np.asarray(np.linalg.svd(operator_ANN, compute_uv=False))


def tails(operator_ANN: Floats, k: int) -> Floats:
    """Returns Σ_{i>K} σ_i²(a) of each action (A,): the least risk of an encoder of its own."""
    return np.asarray(np.square(singular_values(operator_ANN)[:, k:]).sum(1))


def shared_tail(operator_ANN: Floats, k: int) -> float:
    """Returns the least risk of a shared encoder, averaged over the actions."""
    stack = operator_ANN.reshape(-1, operator_ANN.shape[2])
    return float(np.square(np.linalg.svd(stack, compute_uv=False)[k:]).sum() / len(operator_ANN))


def per_action_optimum(world: TabularWorld, k: int) -> Features:
    """Returns the optimum of Theorem 4.3, whose f differs between actions."""
    u, sigma, vt = np.linalg.svd(operators(world))
    root_A1K = np.sqrt(sigma[:, None, :k])
    return _unweighted(world, root_A1K * vt[:, :k].swapaxes(1, 2), root_A1K * u[:, :, :k])


def shared_optimum(world: TabularWorld, k: int, operator_ANN: Floats | None = None) -> Features:
    """Returns the optimum of a shared encoder.

    Args:
        world: its weights turn the singular vectors into features.
        k: latent dimensions.
        operator_ANN: an estimate of M̄ to be factored instead of the world's own.

    Raises:
        ValueError: the law of the next state depends on the action.
    """
    if not world.shares_next:
        raise ValueError("a shared encoder has a closed form only where the law of the next state is shared")
    known_ANN = operators(world) if operator_ANN is None else operator_ANN
    right_NK = right_space(known_ANN, k)
    return _unweighted(world, np.broadcast_to(right_NK, (len(known_ANN), *right_NK.shape)), known_ANN @ right_NK)


def right_space(operator_ANN: Floats, k: int) -> Floats:
    """Returns the first K right singular vectors of the stack of all actions (N, K)."""
    return np.asarray(np.linalg.svd(operator_ANN.reshape(-1, operator_ANN.shape[2]), full_matrices=False)[2][:k].T)


def subspace_angle(one_NK: Floats, other_NK: Floats) -> float:
    """Returns the largest principal angle between two column spaces of equal dimension, in degrees."""
    one, other = np.linalg.qr(one_NK)[0], np.linalg.qr(other_NK)[0]
    # The sine is exact where the angle is small, where the cosine has lost its digits.
    sine = np.linalg.svd(other - one @ (one.T @ other), compute_uv=False)[0]
    return float(np.degrees(np.arcsin(min(1.0, float(sine)))))


def _unweighted(world: TabularWorld, right_ANK: Floats, left_ANK: Floats) -> Features:
    """Returns features of the factors F and G; one of a state that is never reached is 0."""
    weight_AN = world.next_AN
    root_AN1 = np.sqrt(np.where(weight_AN > 0, weight_AN, np.inf))[:, :, None]
    return Features(right_ANK / root_AN1, left_ANK / np.sqrt(world.state_N)[:, None])
