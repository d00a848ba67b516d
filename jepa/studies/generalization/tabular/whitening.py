"""Whitened encoders with a free predictor: the risk that joins this paper to the one on identifiability.

    min_g E‖g(x) - f(x⁺)‖² = E‖f(x⁺)‖² - E‖E[f(x⁺) | x]‖² >= K - Σ_{i<=K} σ_i²  for E f(x⁺) f(x⁺)ᵀ = I
The bound is reached by the first K right singular functions of M̄. Shapes: N states, K latent dimensions.
"""

import numpy as np

from jepa.studies.generalization.tabular.worlds import Floats, TabularWorld


def whitened(f_NK: Floats, law_N: Floats) -> Floats:
    """Returns the latents turned and scaled to E f fᵀ = I under a law of the states."""
    root_N1 = np.sqrt(law_N)[:, None]
    return np.asarray(np.linalg.qr(root_N1 * f_NK)[0] / root_N1)


def prediction_risk(world: TabularWorld, f_NK: Floats, action: int = 0) -> float:
    """Returns the mean squared error of the best prediction of f(x⁺) from x."""
    predicted_NK = world.transition_ANN[action] @ f_NK
    whole = world.next_AN[action] @ np.square(f_NK).sum(1)
    return float(whole - world.state_N @ np.square(predicted_NK).sum(1))


def alignment_risk(world: TabularWorld, f_NK: Floats, action: int = 0) -> float:
    """Returns E‖f(x) - f(x⁺)‖², the loss of the paper on identifiability, where prediction is the identity."""
    joint_NN = world.state_N[:, None] * world.transition_ANN[action]
    cross = float((joint_NN * (f_NK @ f_NK.T)).sum())
    square_N = np.square(f_NK).sum(1)
    return float(world.state_N @ square_N + world.next_AN[action] @ square_N - 2 * cross)
