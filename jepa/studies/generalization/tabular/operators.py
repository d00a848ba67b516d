"""The normalised transition matrices M̄(a), features on them, and the risks that the paper defines.

    M̄(a) = D^{-1/2} M(a) D₊(a)^{-1/2},  M(a) = P(x, x⁺ | a),  D = diag P(x),  D₊(a) = diag w(x⁺ | a)
    G_a = [√P(x) g(x, a)],  F_a = [√w(x | a) f(x)],  spectral risk R_S(a) = ‖M̄(a) - G_aᵀ F_a‖² (Frobenius)
Shapes: A actions, N states, K latent dimensions.
"""

from dataclasses import dataclass

import numpy as np

from jepa.studies.generalization.tabular.worlds import Floats, TabularWorld


@dataclass(frozen=True)
class Features:
    """The latents f and the predictions g of all states; a shared encoder has the same f for each action."""

    f_ANK: Floats
    g_ANK: Floats


def operators(world: TabularWorld) -> Floats:
    """Returns M̄ of each action (A, N, N); a state that an action never leads to has a column of zeros."""
    weight_AN = world.next_AN
    root_AN = np.sqrt(np.where(weight_AN > 0, weight_AN, 1.0))
    return np.asarray(np.sqrt(world.state_N)[:, None] * world.transition_ANN / root_AN[:, None, :])


def product_of(world: TabularWorld, features: Features) -> Floats:
    """Returns G_aᵀ F_a (A, N, N)."""
    left = np.sqrt(world.state_N)[:, None] * features.g_ANK
    right = np.sqrt(world.next_AN)[:, :, None] * features.f_ANK
    return np.asarray(left @ right.swapaxes(1, 2))


def spectral_risk(world: TabularWorld, product_ANN: Floats) -> Floats:
    """Returns R_S of each action (A,)."""
    return np.asarray(np.square(operators(world) - product_ANN).sum((1, 2)))


def paper_risk(world: TabularWorld, features: Features) -> Floats:
    """Returns eq. 2 of each action (A,) by enumeration: E‖g - f⁺‖² + E (g · f′)², x′ drawn from w(· | a)."""
    joint_ANN = world.state_N[:, None] * world.transition_ANN
    apart_ANN = np.square(features.g_ANK[:, :, None] - features.f_ANK[:, None]).sum(3)
    return np.asarray((joint_ANN * apart_ANN).sum((1, 2)) + _repulsion(world, features))


def contrastive_risk(world: TabularWorld, features: Features) -> Floats:
    """Returns the expectation of eq. 16 of each action (A,): E (g · f′)² - 2 E g · f⁺ = R_S - ‖M̄‖²."""
    joint_ANN = world.state_N[:, None] * world.transition_ANN
    attraction_A = (joint_ANN * (features.g_ANK @ features.f_ANK.swapaxes(1, 2))).sum((1, 2))
    return np.asarray(_repulsion(world, features) - 2 * attraction_A)


def _repulsion(world: TabularWorld, features: Features) -> Floats:
    independent_ANN = world.state_N[:, None] * world.next_AN[:, None, :]
    return np.asarray((independent_ANN * np.square(features.g_ANK @ features.f_ANK.swapaxes(1, 2))).sum((1, 2)))
