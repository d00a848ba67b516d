"""Theorems 4.1 and 4.2: measured regret beside its bounds, over latent dimensions and over the length of plans."""

from collections.abc import Iterator

import numpy as np

from jepa.studies.generalization.cell import GeneralizationCell
from jepa.studies.generalization.tabular.bounds import printed_bound, printed_horizon_bound, sharper_bound
from jepa.studies.generalization.tabular.operators import Features, product_of, spectral_risk
from jepa.studies.generalization.tabular.optimum import per_action_optimum, shared_optimum
from jepa.studies.generalization.tabular.regret import (
    Rollout,
    distance_scores,
    expected_regret,
    product_scores,
    values,
)
from jepa.studies.generalization.tabular.sampling import estimated_operators
from jepa.studies.generalization.tabular.worlds import TabularWorld, make_tabular_world
from jepa.studies.study import CellResult, Measure

ROLLOUTS: tuple[Rollout, ...] = ("linear", "snap")


def measure_regret(cell: GeneralizationCell) -> CellResult:
    """Returns, for each number of latent dimensions, the one-step regret, the risk and the bounds."""
    world = make_tabular_world(cell.world, cell.states, cell.width, cell.seed)
    value_ANN = values(world, 1)
    measures = []
    for k in range(1, cell.states + 1):
        features = _model(world, k, cell)
        product_ANN = product_of(world, features)
        risk_A = spectral_risk(world, product_ANN)
        found = {
            "measured": expected_regret(world, value_ANN, product_scores(world, product_ANN)),
            "bound as printed": printed_bound(world, risk_A),
        }
        if world.shares_next:
            found["measured, by distance"] = expected_regret(world, value_ANN, distance_scores(features))
            found["sharper bound"] = sharper_bound(world, risk_A)
        measures += [Measure("regret", value, cell.states**2, quantity=name, x=k) for name, value in found.items()]
        measures.append(Measure("risk", float(risk_A.max()), len(risk_A), quantity="largest of an action", x=k))
    return CellResult([*measures, *_slacks(measures)])


def measure_horizon(cell: GeneralizationCell) -> CellResult:
    """Returns the regret of plans of one step and more, for both continuations of g, and the bound."""
    world = make_tabular_world(cell.world, cell.states, cell.width, cell.seed)
    features = _model(world, cell.k, cell)
    risk_A = spectral_risk(world, product_of(world, features))
    measures: list[Measure] = []
    for horizon in range(1, cell.horizon + 1):
        value_SNN = values(world, horizon)
        found = {"bound as printed": printed_horizon_bound(world, risk_A, horizon)}
        for rollout in ROLLOUTS:
            score_SNN = distance_scores(features, horizon, rollout)
            found[f"measured, {rollout}"] = expected_regret(world, value_SNN, score_SNN)
        measures += [
            Measure("regret", value, cell.states**2, quantity=name, x=horizon) for name, value in found.items()
        ]
    measures.append(Measure("risk", float(risk_A.max()), len(risk_A), quantity="largest of an action"))
    return CellResult([*measures, *_slacks(measures), *_growth(measures)])


def _model(world: TabularWorld, k: int, cell: GeneralizationCell) -> Features:
    if not world.shares_next:
        return per_action_optimum(world, k)
    estimate = estimated_operators(world, cell.samples, cell.seed) if cell.samples else None
    return shared_optimum(world, k, estimate)


def _slacks(measures: list[Measure]) -> Iterator[Measure]:
    """Yields, for each bound, its least distance to a measured regret below it, and how often it says anything."""
    curves = _curves(measures)
    measured = {x: max(curve[x] for name, curve in curves.items() if "measured" in name) for x in _places(curves)}
    for name, curve in curves.items():
        if "bound" in name:
            yield Measure("slack", min(curve[x] - measured[x] for x in curve), len(curve), quantity=name)
            yield Measure(
                "informative", float(np.mean([value < 1 for value in curve.values()])), len(curve), quantity=name
            )


def _growth(measures: list[Measure]) -> Iterator[Measure]:
    """Yields E(T) - T E(1) at the longest plans: above zero, regret grows faster than linearly."""
    for name, curve in _curves(measures).items():
        if "measured" in name and len(curve) > 1:
            longest = max(curve)
            yield Measure("growth", curve[longest] - longest * curve[1], quantity=name, x=longest)


def _curves(measures: list[Measure]) -> dict[str, dict[float, float]]:
    curves: dict[str, dict[float, float]] = {}
    for one in measures:
        if one.metric == "regret" and one.quantity is not None and one.x is not None:
            curves.setdefault(one.quantity, {})[one.x] = one.value
    return curves


def _places(curves: dict[str, dict[float, float]]) -> list[float]:
    return sorted({x for curve in curves.values() for x in curve})
