"""Planning in latents and its regret, exactly as the paper defines them, by enumeration of all action sequences.

    V(a_0..T-1) = P(x_T = x_g | x_0, a_0..T-1),  r = max V - V(planned),  E = E_{x_0, x_g} r   (eqs. 10-12)
The paper leaves the law of x_0 and x_g open: here both are P(x). A planner that rates several sequences alike has the
mean of their values.
Shapes: A actions, N states, K latent dimensions, S = A^T sequences.
"""

from typing import Literal

import numpy as np

from jepa.core.errors import InputError
from jepa.studies.generalization.tabular.operators import Features
from jepa.studies.generalization.tabular.worlds import Floats, TabularWorld

Rollout = Literal["linear", "snap"]
LARGEST = 100_000
"""Sequences of one enumeration."""


def values(world: TabularWorld, horizon: int) -> Floats:
    """Returns V of each sequence, start and goal (S, N, N), the last action varied fastest."""
    actions, states = world.transition_ANN.shape[:2]
    if actions**horizon > LARGEST:
        raise InputError(f"{actions} actions over {horizon} steps are over {LARGEST} sequences; take fewer steps")
    reached = np.eye(states)[None]
    for _ in range(horizon):
        reached = (reached[:, None] @ world.transition_ANN).reshape(-1, states, states)
    return reached


def expected_regret(world: TabularWorld, value_SNN: Floats, score_SNN: Floats) -> float:
    """Returns E of the planner that takes the sequence of the largest score."""
    best_NN = score_SNN.max(0)
    scale = max(1.0, float(np.abs(best_NN).max()))
    chosen_SNN = score_SNN >= best_NN - 1e-9 * scale
    planned_NN = (value_SNN * chosen_SNN).sum(0) / chosen_SNN.sum(0)
    return float(world.state_N @ (value_SNN.max(0) - planned_NN) @ world.state_N)


def product_scores(world: TabularWorld, product_ANN: Floats) -> Floats:
    """Returns g(f(x_0), a) · f(x_g) of one step (A, N, N), which the bounds are proved for; 0 where w(x_g | a) is."""
    weight_ANN = world.state_N[:, None] * world.next_AN[:, None, :]
    return np.asarray(product_ANN / np.sqrt(np.where(weight_ANN > 0, weight_ANN, np.inf)))


def distance_scores(features: Features, horizon: int = 1, rollout: Rollout = "linear") -> Floats:
    """Returns -‖ẑ_T - f(x_g)‖² (S, N, N), eq. 8, for an f that all actions share.

    The tabular g is defined at latents of states only. `linear` continues it by A_a, the least-squares fit of
    g(x, a) = A_a f(x); `snap` goes to the state whose latent is nearest and takes its prediction. The first step is
    exact in both.
    """
    f_NK, g_ANK = features.f_ANK[0], features.g_ANK
    step_AKK = np.stack([np.linalg.lstsq(f_NK, g_NK, rcond=None)[0] for g_NK in g_ANK])
    latent_SNK = g_ANK
    for _ in range(horizon - 1):
        if rollout == "linear":
            following = latent_SNK[:, None] @ step_AKK
        else:
            nearest_SN = _squared_distances(latent_SNK, f_NK).argmin(2)
            following = g_ANK[:, nearest_SN].swapaxes(0, 1)
        latent_SNK = following.reshape(-1, *f_NK.shape)
    return -_squared_distances(latent_SNK, f_NK)


def _squared_distances(latent_SNK: Floats, f_NK: Floats) -> Floats:
    own = np.square(latent_SNK).sum(2)[:, :, None] + np.square(f_NK).sum(1)
    return np.asarray(own - 2 * latent_SNK @ f_NK.T)
