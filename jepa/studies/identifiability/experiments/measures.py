"""The figures of a trained encoder of a latent world, on states that training did not see.

Shapes: N samples, D dimensions.
"""

from typing import Any

import numpy as np
from torch import Tensor

from jepa.evaluation.kinds.identifiability.metrics import (
    Floats,
    approximate_bound,
    explained,
    fit_affine,
    linear_dynamics,
    linear_r2,
    orthogonality_error,
    procrustes_error,
)
from jepa.studies.study import Measure


def state_measures(z_ND: Floats, h_ND: Floats) -> list[Measure]:
    """Returns how well latents are a linear, and an orthogonal, image of the state."""
    n = len(z_ND)
    return [
        Measure("r2", linear_r2(h_ND, z_ND), n),
        Measure("r2_inverse", linear_r2(z_ND, h_ND), n),
        Measure("orthogonality", orthogonality_error(z_ND, h_ND), n),
        Measure("orthogonality_rescaled", orthogonality_error(z_ND, h_ND, rescale=True), n),
    ]


def bound_measures(z_ND: Floats, h_ND: Floats, next_ND: Floats, rho: float) -> list[Measure]:
    """Returns the terms of Theorem 5.3 beside the distance to the closest rotation, and the recovered dynamics."""
    n, terms = len(z_ND), approximate_bound(h_ND, next_ND, rho)
    error, uncentred = procrustes_error(z_ND, h_ND), procrustes_error(z_ND, h_ND, centre=False)
    transition_DD = linear_dynamics(h_ND, next_ND).transition_HH
    size = len(transition_DD)
    return [
        Measure("epsilon", terms.epsilon, n),
        Measure("delta", terms.delta, n),
        Measure("excess", terms.excess, n),
        Measure("bound", terms.bound, n),
        Measure("error", error, n),
        Measure("slack", terms.bound - error, n),
        Measure("slack_uncentred", terms.bound - uncentred, n),
        Measure("dynamics_error", float(np.linalg.norm(transition_DD - rho * np.eye(size)) / size**0.5), n),
    ]


def rate_measures(z_ND: Floats, h_ND: Floats) -> list[Measure]:
    """Returns the R² of the slow half of the state and of the fast half."""
    predicted, half = fit_affine(h_ND, z_ND)(h_ND), z_ND.shape[1] // 2
    fast = slice(z_ND.shape[1] - half, None)
    slow = slice(None, z_ND.shape[1] - half)
    return [
        Measure("r2_slow", explained(predicted[:, slow], z_ND[:, slow]), len(z_ND)),
        Measure("r2_fast", explained(predicted[:, fast], z_ND[:, fast]), len(z_ND)),
    ]


def path_ratio(z_ND: Floats, h_ND: Floats, pairs: int, steps: int, rng: np.random.Generator) -> float:
    """Returns the length of the ways that straight lines in latent space take through the states, 1 if straight.

    Points on the line between two latents are decoded as the state of the nearest latent of the library; the length
    of the decoded way is divided by the distance of its ends. A library is finite: states themselves score above 1.

    Args:
        z_ND: states of the library.
        h_ND: their latents.
        pairs: of start and goal, drawn from the library.
        steps: of a way.
        rng: draws the pairs.
    """
    ratios = []
    for start, goal in rng.choice(len(z_ND), (pairs, 2), replace=False):
        share_T1 = np.linspace(0, 1, steps + 1)[:, None]
        line_TD = (1 - share_T1) * h_ND[start] + share_T1 * h_ND[goal]
        # ‖line - h‖² up to ‖line‖², which is the same for the whole library
        away_TN = (h_ND**2).sum(1) - 2 * line_TD @ h_ND.T
        way_TD = z_ND[away_TN.argmin(1)]
        length = np.linalg.norm(np.diff(way_TD, axis=0), axis=1).sum()
        ratios.append(length / np.linalg.norm(z_ND[goal] - z_ND[start]))
    return float(np.mean(ratios))


def to_numpy(x: Tensor) -> Any:
    """Returns a tensor in double precision, in which metrics are computed."""
    return x.detach().double().numpy()
