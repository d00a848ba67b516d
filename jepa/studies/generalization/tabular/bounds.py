"""Upper bounds of the expected regret in terms of the spectral risk: as the paper prints them, and a sharper one.

The sharper one follows entry by entry. Let δ_a be the entry (x_0, x_g) of M̄(a) - G_aᵀ F_a and let w(x_g) not depend on
the action. Then V(a) = √(w(x_g)/P(x_0)) (score + δ_a), hence r <= √(w(x_g)/P(x_0)) · 2 max_a |δ_a|, and by Cauchy and
Schwarz

    E <= 2 √(Σ_g P(x_g)² w(x_g)) √(Σ_a R(a)),   for uniform laws (2/N) √(Σ_a R(a))
"""

import numpy as np

from jepa.studies.generalization.tabular.worlds import Floats, TabularWorld


def printed_bound(world: TabularWorld, risk_A: Floats) -> float:
    """Returns Theorem 4.1's 2 c₀ max_a √R(a), c₀ = E √(max_a w(x_g | a) / P(x_0)); over 1 it says nothing."""
    root = np.sqrt(world.next_AN.max(0) / world.state_N[:, None])
    c0 = float(world.state_N @ root @ world.state_N)
    return 2 * c0 * float(np.sqrt(risk_A.max()))


def sharper_bound(world: TabularWorld, risk_A: Floats) -> float:
    """Returns the bound above; it is one only where the law of the next state is shared by the actions."""
    return 2 * float(np.sqrt(np.square(world.state_N) @ world.next_AN[0]) * np.sqrt(risk_A.sum()))


def printed_horizon_bound(world: TabularWorld, risk_A: Floats, horizon: int) -> float:
    """Returns Theorem 4.2's 2 T c₃ max_a √R(a), c₃ = max √(w(x_g | a) / P(x_0))."""
    c3 = float(np.sqrt(world.next_AN.max() / world.state_N.min()))
    return 2 * horizon * c3 * float(np.sqrt(risk_A.max()))
