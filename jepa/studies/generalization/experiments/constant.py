"""Theorems 3.1 and 4.3: the constant between loss and spectral risk, and the closed-form optimum."""

import numpy as np

from jepa.core.seeds import numpy_generator
from jepa.studies.generalization.cell import GeneralizationCell
from jepa.studies.generalization.tabular.operators import Features, operators, paper_risk, product_of, spectral_risk
from jepa.studies.generalization.tabular.optimum import per_action_optimum, shared_tail, singular_values, tails
from jepa.studies.generalization.tabular.worlds import Floats, TabularWorld, make_tabular_world
from jepa.studies.study import CellResult, Measure

PERTURBATIONS = (1e-3, 1e-2, 1e-1, 1.0)


def measure_constant(cell: GeneralizationCell) -> CellResult:
    """Returns the gaps, which are zero where the theorems hold, and the spectrum of the first action."""
    world = make_tabular_world(cell.world, cell.states, cell.width, cell.seed)
    operator_ANN = operators(world)
    rng = numpy_generator(cell.seed, "random features", cell.k)
    unit = _unit_features(world, cell.k, rng)
    square_A = np.square(operator_ANN).sum((1, 2))
    constant_A = paper_risk(world, unit) - spectral_risk(world, product_of(world, unit)) - 2 + square_A
    measures = [Measure("constant_gap", float(np.abs(constant_A).max()), len(constant_A))]
    optimum = per_action_optimum(world, cell.k)
    tail_A = tails(operator_ANN, cell.k)
    gap_A = spectral_risk(world, product_of(world, optimum)) - tail_A
    measures.append(Measure("optimum_gap", float(np.abs(gap_A).max()), len(gap_A)))
    measures.append(Measure("least_excess", _least_excess(world, optimum, tail_A, rng), len(PERTURBATIONS)))
    if world.shares_next:
        measures.append(Measure("cost_of_sharing", shared_tail(operator_ANN, cell.k) - float(tail_A.mean())))
    spectrum = singular_values(operator_ANN)[0]
    return CellResult(measures + [Measure("singular_value", float(s), x=i) for i, s in enumerate(spectrum, 1)])


def _unit_features(world: TabularWorld, k: int, rng: np.random.Generator) -> Features:
    f_ANK, g_ANK = (rng.normal(size=(*world.transition_ANN.shape[:2], k)) for _ in range(2))
    return Features(
        f_ANK / np.linalg.norm(f_ANK, axis=2, keepdims=True), g_ANK / np.linalg.norm(g_ANK, axis=2, keepdims=True)
    )


def _least_excess(world: TabularWorld, best: Features, tail_A: Floats, rng: np.random.Generator) -> float:
    """Returns how much more than the tail the best of some other features of as many dimensions leave."""
    found = []
    for size in PERTURBATIONS:
        f_ANK, g_ANK = (x + size * rng.normal(size=x.shape) for x in (best.f_ANK, best.g_ANK))
        found.append((spectral_risk(world, product_of(world, Features(f_ANK, g_ANK))) - tail_A).min())
    return float(min(found))
