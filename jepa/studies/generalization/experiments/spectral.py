"""The spectral objective trained by stochastic gradients, against the closed-form optimum."""

import numpy as np
import torch

from jepa.core.seeds import torch_generator
from jepa.evaluation.statistics import Estimate
from jepa.studies.claims import mean_interval
from jepa.studies.generalization.cell import GeneralizationCell
from jepa.studies.generalization.tabular.operators import Features, operators, product_of, spectral_risk
from jepa.studies.generalization.tabular.optimum import right_space, shared_tail, subspace_angle
from jepa.studies.generalization.tabular.training import contrast, draw_pairs, train_features
from jepa.studies.generalization.tabular.worlds import TabularWorld, make_tabular_world
from jepa.studies.study import CellResult, Measure

FRESH = 20
BATCH = 2000


def measure_spectral(cell: GeneralizationCell) -> CellResult:
    """Returns excess risk and subspace angle of the trained encoder, and the constant that its loss differs by."""
    world = make_tabular_world(cell.world, cell.states, cell.width, cell.seed)
    operator_ANN = operators(world)
    features = train_features(world, cell.k, cell.steps, cell.seed)
    risk = float(spectral_risk(world, product_of(world, features)).mean())
    tail = shared_tail(operator_ANN, cell.k)
    weight_N1 = np.sqrt(world.next_AN[0])[:, None]
    angle = subspace_angle(weight_N1 * features.f_ANK[0], right_space(operator_ANN, cell.k))
    loss = _fresh_loss(world, features, cell.seed)
    offset = float(np.square(operator_ANN).sum((1, 2)).mean()) - risk
    return CellResult(
        [
            Measure("trained_risk", risk, quantity="trained", x=cell.k),
            Measure("trained_risk", tail, quantity="closed form", x=cell.k),
            Measure("excess_risk", risk - tail),
            Measure("relative_excess", (risk - tail) / tail),
            Measure("subspace_angle", angle, unit="deg"),
            Measure("loss_gap", loss.value + offset, loss.n, loss.low + offset, loss.high + offset),
        ]
    )


def _fresh_loss(world: TabularWorld, features: Features, seed: int) -> Estimate:
    """Returns the objective's loss on fresh pairs, with its interval over batches."""
    generator = torch_generator(seed, "fresh")
    f_NK, g_ANK = torch.tensor(features.f_ANK[0].copy()), torch.tensor(features.g_ANK)
    pair_AXB = draw_pairs(world, FRESH * BATCH, generator).unflatten(1, (FRESH, BATCH))
    return mean_interval([float(contrast(f_NK, g_ANK, pair_AXB[:, one], len(f_NK))) for one in range(FRESH)])
