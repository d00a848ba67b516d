"""The spectral objective on tabular features, trained by stochastic gradients from sampled transitions.

Shapes: A actions, N states, K latent dimensions, B pairs of each action.
"""

import numpy as np
import torch
from torch import Tensor

from jepa.core.seeds import torch_generator
from jepa.objectives.spectral import spectral_terms
from jepa.studies.generalization.tabular.operators import Features
from jepa.studies.generalization.tabular.worlds import TabularWorld

BATCH = 256
PEAK = 0.03


def train_features(world: TabularWorld, k: int, steps: int, seed: int) -> Features:
    """Returns the table of latents f, one for all actions, and the tables of predictions g after `steps` updates.

    Each batch has fresh pairs of every action, contrasted with pairs of the same action only, as eq. 16 asks.
    """
    actions, states = world.transition_ANN.shape[:2]
    generator = torch_generator(seed, "features")
    f_NK = torch.randn(states, k, generator=generator, dtype=torch.float64).div_(k**0.5).requires_grad_()
    g_ANK = torch.randn(actions, states, k, generator=generator, dtype=torch.float64).div_(k**0.5).requires_grad_()
    optimiser = torch.optim.Adam([f_NK, g_ANK], lr=PEAK)
    # A rate that ends at zero averages the noise of single batches away.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    drawn_AXB = draw_pairs(world, steps * BATCH, generator).unflatten(1, (steps, BATCH))
    for step in range(steps):
        loss = contrast(f_NK, g_ANK, drawn_AXB[:, step], states)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    f_ANK = np.broadcast_to(f_NK.detach().numpy(), (actions, states, k))
    return Features(f_ANK, g_ANK.detach().numpy())


def contrast(f_NK: Tensor, g_ANK: Tensor, pair_AB: Tensor, states: int) -> Tensor:
    """Returns the objective's loss on pairs x·N + x⁺, averaged over the actions, which take the place of its times."""
    x_AB, following_AB = pair_AB // states, pair_AB % states
    predicted_ABK = g_ANK.gather(1, x_AB[:, :, None].expand(-1, -1, g_ANK.shape[2]))
    attraction, repulsion = spectral_terms(predicted_ABK, f_NK[following_AB])
    return repulsion - 2 * attraction


def draw_pairs(world: TabularWorld, count: int, generator: torch.Generator) -> Tensor:
    """Returns `count` pairs of each action (A, count) as numbers x·N + x⁺."""
    joint_ANN = torch.from_numpy(world.state_N[:, None] * world.transition_ANN)
    return joint_ANN.flatten(1).multinomial(count, replacement=True, generator=generator)
