"""Linear-quadratic control, and that it does the same in rotated latents (Theorem 5.4).

    z' = A z + B a + noise,   cost Σ zᵀ W z + aᵀ P a,   a = -K z,   K by the discrete algebraic Riccati equation
For h = Qz the system is (QAQᵀ, QB, QWQᵀ, P), its gain K Qᵀ, and K Qᵀ h = K z.
Shapes: N samples, D state dimensions, A action dimensions.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_discrete_are

from jepa.planning.cross_entropy import CEMConfig, minimise

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearControl:
    """A linear system with a quadratic cost."""

    transition_DD: Floats
    action_DA: Floats
    state_cost_DD: Floats
    action_cost_AA: Floats

    def gain(self) -> Floats:
        """Returns K (A, D) of the optimal action a = -K z."""
        a, b, p = self.transition_DD, self.action_DA, self.action_cost_AA
        value = solve_discrete_are(a, b, self.state_cost_DD, p)
        gain: Floats = np.linalg.solve(p + b.T @ value @ b, b.T @ value @ a)
        return gain

    def rotated(self, rotation_DD: Floats) -> "LinearControl":
        """Returns the same problem in the coordinates h = Qz."""
        q = rotation_DD
        return LinearControl(q @ self.transition_DD @ q.T, q @ self.action_DA, q @ self.state_cost_DD @ q.T,
                             self.action_cost_AA)  # fmt: skip

    def plan(self, start_D: Floats, goal_D: Floats, horizon: int, seed: int) -> Floats:
        """Returns the actions (H, A) that the cross-entropy method finds to end at a goal."""
        a, b, w, p = (
            torch.from_numpy(matrix)
            for matrix in (self.transition_DD, self.action_DA, self.state_cost_DD, self.action_cost_AA)
        )
        start, goal = torch.from_numpy(start_D), torch.from_numpy(goal_D)

        def cost(action_PSHKA: torch.Tensor) -> torch.Tensor:
            action_PSHA = action_PSHKA[:, :, :, 0].double()
            z, total = start.expand(*action_PSHA.shape[:2], -1), torch.zeros(action_PSHA.shape[:2]).double()
            for step in action_PSHA.unbind(2):
                z = z @ a.T + step @ b.T
                total = total + ((step @ p) * step).sum(-1)
            return total + (((z - goal) @ w) * (z - goal)).sum(-1)

        shape, config = (1, b.shape[1]), CEMConfig(samples=64, elites=8, iterations=8, horizon=horizon)
        plan = minimise(cost, [seed], shape, torch.tensor(-1.0), torch.tensor(1.0), config)
        actions: Floats = plan[0, :, 0].double().numpy()
        return actions


def random_control(size: int, actions: int, rng: np.random.Generator) -> LinearControl:
    """Returns a random stable system with a cost that every rotation leaves alone in the state."""
    transition = rng.standard_normal((size, size))
    transition *= 0.95 / np.abs(np.linalg.eigvals(transition)).max()
    root = rng.standard_normal((actions, actions))
    return LinearControl(
        transition, rng.standard_normal((size, actions)), np.eye(size), root @ root.T + np.eye(actions)
    )


def random_rotation(size: int, rng: np.random.Generator) -> Floats:
    """Returns an orthogonal matrix, reflections included."""
    rotation: Floats = np.linalg.qr(rng.standard_normal((size, size)))[0]
    return rotation
