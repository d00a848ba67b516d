"""Tabular worlds: laws, premises of the theorems, and the Ornstein-Uhlenbeck kernel on a grid."""

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.studies.generalization.tabular.worlds import WORLD_NAMES, WorldName, make_tabular_world, ornstein_uhlenbeck

SHARED = {"ring", "torus", "blocks", "permutations"}
DETERMINISTIC = {"permutations", "maps"}


@pytest.mark.parametrize("name", WORLD_NAMES)
def test_a_world_is_what_its_theorem_asks_for(name: WorldName) -> None:
    world = make_tabular_world(name, 36, 0.7, seed=3)
    assert np.allclose(world.transition_ANN.sum(2), 1) and world.transition_ANN.min() >= 0
    assert world.shares_next == (name in SHARED)
    assert world.is_deterministic == (name in DETERMINISTIC)


def test_random_worlds_differ_by_seed_alone() -> None:
    one, same, other = (make_tabular_world("blocks", 12, 1.0, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.transition_ANN, same.transition_ANN)
    assert not np.array_equal(one.transition_ANN, other.transition_ANN)


def test_the_ring_moves_by_its_shifts() -> None:
    world = make_tabular_world("ring", 24, 1.5, 0)
    assert (world.transition_ANN[:, 23].argmax(1) == [0, 22, 3, 19]).all()


@pytest.mark.parametrize(("name", "hint"), [("torus", "24"), ("blocks", "multiple of 6")])
def test_a_number_of_states_that_does_not_fit_is_refused(name: WorldName, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        make_tabular_world(name, 23, 1.0, 0)


def test_a_world_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="choose one of: ring, torus"):
        make_tabular_world("point_mass", 24, 1.0, 0)


def test_the_grid_of_the_kernel_is_standard_normal_and_correlated() -> None:
    world = ornstein_uhlenbeck(0.8, points=201, reach=6.0)
    z = np.linspace(-6, 6, 201)
    assert world.state_N @ z**2 == pytest.approx(1, abs=1e-6)
    assert world.state_N @ (z * (world.transition_ANN[0] @ z)) == pytest.approx(0.8, abs=1e-6)
    assert np.allclose(world.next_AN[0], world.state_N, atol=1e-12)


def test_a_torus_is_as_square_as_its_states_allow() -> None:
    world = make_tabular_world("torus", 24, 0.3, 0)
    assert (world.transition_ANN[:, 0].argmax(1) == [6, 18, 1, 5]).all()
