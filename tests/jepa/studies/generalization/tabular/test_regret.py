"""Regret by enumeration against a planner written out in loops, and its bounds."""

import itertools

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.core.seeds import numpy_generator
from jepa.studies.generalization.tabular.bounds import printed_bound, printed_horizon_bound, sharper_bound
from jepa.studies.generalization.tabular.operators import Features, operators, product_of, spectral_risk
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

RING = make_tabular_world("ring", 24, 1.5, 0)


def looped_regret(world: TabularWorld, features: Features, horizon: int, rollout: Rollout) -> float:
    """The definition, one start, goal and sequence at a time; sequences that snap to one state are rated alike."""
    f, g, states, total = features.f_ANK[0], features.g_ANK, len(world.state_N), 0.0
    fits = [np.linalg.pinv(f) @ g_NK for g_NK in g]
    sequences = list(itertools.product(range(len(g)), repeat=horizon))
    for start, goal in itertools.product(range(states), repeat=2):
        ends, costs = [], []
        for actions in sequences:
            law, z = np.eye(states)[start], g[actions[0], start]
            for action in actions:
                law = law @ world.transition_ANN[action]
            for action in actions[1:]:
                z = z @ fits[action] if rollout == "linear" else g[action, np.square(f - z).sum(1).argmin()]
            ends.append(law[goal])
            costs.append(np.square(z - f[goal]).sum())
        planned = np.mean([end for end, cost in zip(ends, costs, strict=True) if cost <= min(costs) + 1e-9])
        total += world.state_N[start] * world.state_N[goal] * (max(ends) - planned)
    return total


@pytest.mark.parametrize("rollout", ["linear", "snap"])
@pytest.mark.parametrize("horizon", [1, 2])
def test_regret_is_the_definition(horizon: int, rollout: Rollout) -> None:
    world, rng = make_tabular_world("blocks", 6, 1.0, 0), numpy_generator(1, "features")
    f_NK = rng.normal(size=(6, 3))
    features = Features(np.broadcast_to(f_NK, (4, 6, 3)), rng.normal(size=(4, 6, 3)))
    found = expected_regret(world, values(world, horizon), distance_scores(features, horizon, rollout))
    assert found == pytest.approx(looped_regret(world, features, horizon, rollout), abs=1e-12)
    assert found > 0.01


@pytest.mark.parametrize(
    ("k", "regret", "printed", "sharper"),
    [(1, 0.0776, 3.75, 0.312), (5, 9.35e-5, 1.70, 0.141), (9, 7.18e-4, 0.453, 0.0377), (15, 7.44e-6, 0.021, 0.0018)],
)
def test_the_ring_s_regret_and_its_bounds(k: int, regret: float, printed: float, sharper: float) -> None:
    features = shared_optimum(RING, k)
    product_ANN = product_of(RING, features)
    risk_A = spectral_risk(RING, product_ANN)
    for score_ANN in (product_scores(RING, product_ANN), distance_scores(features)):
        assert expected_regret(RING, values(RING, 1), score_ANN) == pytest.approx(regret, rel=5e-3)
    assert printed_bound(RING, risk_A) == pytest.approx(printed, rel=0.03)
    assert sharper_bound(RING, risk_A) == pytest.approx(sharper, rel=0.03)


@pytest.mark.parametrize("name", ["ring", "torus", "blocks", "permutations"])
@pytest.mark.parametrize("seed", range(3))
def test_the_bounds_hold_for_any_model(name: str, seed: int) -> None:
    world = make_tabular_world(name, 36, 0.7, seed)
    value_ANN = values(world, 1)
    for k in (1, 3, 8, 36):
        for samples in (30, 300, 3000):
            product_ANN = product_of(world, shared_optimum(world, k, estimated_operators(world, samples, seed)))
            risk_A = spectral_risk(world, product_ANN)
            found = expected_regret(world, value_ANN, product_scores(world, product_ANN))
            assert found <= sharper_bound(world, risk_A) <= printed_bound(world, risk_A) + 1e-12


def test_without_a_shared_next_law_a_perfect_model_plans_wrongly() -> None:
    # Theorem 4.1 as printed asks for equal means of w(x_g | a), which uniform goals always have.
    world = make_tabular_world("skewed_blocks", 24, 1.0, 0)
    product_ANN = product_of(world, per_action_optimum(world, 24))
    assert spectral_risk(world, product_ANN).max() < 1e-20
    assert expected_regret(world, values(world, 1), product_scores(world, product_ANN)) > 0.005


def test_several_steps_of_a_perfect_model_have_no_regret_on_the_ring() -> None:
    features = shared_optimum(RING, 24)
    for horizon in (1, 2, 3):
        assert expected_regret(RING, values(RING, horizon), distance_scores(features, horizon)) < 1e-12


def test_the_bound_over_a_horizon_is_linear() -> None:
    world = make_tabular_world("permutations", 12, 1.0, 0)
    risk_A = spectral_risk(world, 0.9 * operators(world))
    assert printed_horizon_bound(world, risk_A, 5) == pytest.approx(5 * printed_horizon_bound(world, risk_A, 1))


def test_alike_scores_share_their_values() -> None:
    world = make_tabular_world("permutations", 12, 1.0, 0)
    value_ANN = values(world, 1)
    expected = (value_ANN.max(0) - value_ANN.mean(0)).mean()
    assert expected_regret(world, value_ANN, np.zeros((4, 12, 12))) == pytest.approx(expected)


def test_too_long_a_horizon_is_refused() -> None:
    with pytest.raises(InputError, match="fewer steps"):
        values(RING, 9)
