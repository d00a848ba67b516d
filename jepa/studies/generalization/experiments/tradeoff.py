"""Theorems 4.4 to 4.6: approximation and sample error over latent dimensions and samples."""

import numpy as np

from jepa.studies.generalization.cell import GeneralizationCell
from jepa.studies.generalization.tabular.operators import product_of, spectral_risk
from jepa.studies.generalization.tabular.optimum import shared_optimum
from jepa.studies.generalization.tabular.regret import expected_regret, product_scores, values
from jepa.studies.generalization.tabular.sampling import estimated_operators
from jepa.studies.generalization.tabular.worlds import make_tabular_world
from jepa.studies.study import CellResult, Measure


def dimensions(states: int) -> list[int]:
    """Returns the numbers of latent dimensions that are tried: odd ones, which split no pair of the ring, and all."""
    return sorted({1, 3, 5, 7, 9, 13, 17, states})


def measure_tradeoff(cell: GeneralizationCell) -> CellResult:
    """Returns both parts of the risk of the empirical optimum, their sum and the regret, for each size.

    The risk is that of the worst action, which the bounds are about.
    """
    world = make_tabular_world(cell.world, cell.states, cell.width, cell.seed)
    estimate_ANN = estimated_operators(world, cell.samples, cell.seed)
    value_ANN, actions = values(world, 1), len(estimate_ANN)
    measures = []
    for k in dimensions(cell.states):
        least = float(spectral_risk(world, product_of(world, shared_optimum(world, k))).max())
        product_ANN = product_of(world, shared_optimum(world, k, estimate_ANN))
        whole = float(np.max(spectral_risk(world, product_ANN)))
        parts = {"approximation error": least, "sample error": whole - least, "risk": whole}
        measures += [Measure("error", value, actions, quantity=name, x=k) for name, value in parts.items()]
        regret = expected_regret(world, value_ANN, product_scores(world, product_ANN))
        measures.append(Measure("regret", regret, cell.states**2, quantity="measured", x=k))
    return CellResult(measures)
