"""Risks by enumeration: Theorem 3.1's constant, and the expectation of the contrastive loss."""

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.studies.generalization.tabular.operators import (
    Features,
    contrastive_risk,
    operators,
    paper_risk,
    product_of,
    spectral_risk,
)
from jepa.studies.generalization.tabular.worlds import WORLD_NAMES, TabularWorld, WorldName, make_tabular_world


def drawn_features(world: TabularWorld, k: int, unit: bool) -> Features:
    rng = numpy_generator(0, "drawn")
    actions, states = world.transition_ANN.shape[:2]
    f_ANK, g_ANK = (rng.normal(size=(actions, states, k)) for _ in range(2))
    if unit:
        f_ANK, g_ANK = (x / np.linalg.norm(x, axis=2, keepdims=True) for x in (f_ANK, g_ANK))
    return Features(f_ANK, g_ANK)


@pytest.mark.parametrize("name", WORLD_NAMES)
def test_the_paper_s_risk_is_the_spectral_one_and_a_constant(name: WorldName) -> None:
    world = make_tabular_world(name, 36, 0.7, 1)
    square_A = np.square(operators(world)).sum((1, 2))
    unit, free = drawn_features(world, 5, unit=True), drawn_features(world, 5, unit=False)
    assert np.allclose(paper_risk(world, unit), spectral_risk(world, product_of(world, unit)) + 2 - square_A)
    assert np.allclose(contrastive_risk(world, free), spectral_risk(world, product_of(world, free)) - square_A)
    # Without unit norm the constant is none: the theorem's premise is needed.
    gap_A = paper_risk(world, free) - spectral_risk(world, product_of(world, free)) - 2 + square_A
    assert np.abs(gap_A).min() > 0.1


def test_the_operator_of_a_uniform_world_is_its_transition_matrix() -> None:
    world = make_tabular_world("ring", 24, 1.5, 0)
    assert np.allclose(operators(world), world.transition_ANN)
