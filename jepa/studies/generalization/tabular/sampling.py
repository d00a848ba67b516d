"""The plug-in estimate of M̄(a) from samples, whose best factorisation is the empirical optimum.

Shapes: A actions, N states.
"""

import numpy as np

from jepa.core.seeds import numpy_generator
from jepa.studies.generalization.tabular.worlds import Floats, TabularWorld


def estimated_operators(world: TabularWorld, samples: int, seed: int) -> Floats:
    """Returns M̄ (A, N, N) of the empirical joint law of (x, x⁺), its own marginals included.

    Args:
        world: x is drawn from P(x) and x⁺ from P(x⁺ | x, a).
        samples: pairs of each action.
        seed: of the draws; another number of samples is another draw.
    """
    rng = numpy_generator(seed, "pairs", samples)
    joint_ANN = world.state_N[:, None] * world.transition_ANN
    states = len(world.state_N)
    drawn = rng.multinomial(samples, joint_ANN.reshape(len(joint_ANN), -1)).reshape(-1, states, states) / samples
    weights = drawn.sum(2)[:, :, None] * drawn.sum(1)[:, None, :]
    return np.asarray(drawn / np.sqrt(np.where(weights > 0, weights, 1.0)))
