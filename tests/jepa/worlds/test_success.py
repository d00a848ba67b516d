"""Success over a whole route: the first step at which a test has been held, and nothing after an illegal move."""

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.worlds import first_success, make_world

MET = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 1, 1, 0]], dtype=bool)
"""Four states, the start first, of four copies."""


@pytest.mark.parametrize(
    ("held", "steps"), [(1, [1, 0, 0, -1]), (2, [2, 3, 1, -1]), (3, [-1, -1, 2, -1]), (5, [-1, -1, -1, -1])]
)
def test_the_step_is_that_at_which_the_last_state_in_a_row_is_reached(held: int, steps: list[int]) -> None:
    np.testing.assert_array_equal(first_success(MET, held), steps)


def test_nothing_counts_from_an_illegal_move_on() -> None:
    legal = np.array([[1, 1, 1, 1], [0, 0, 1, 1], [1, 1, 0, 1]], dtype=bool)
    np.testing.assert_array_equal(first_success(MET, 1, legal), [1, 0, 0, -1])
    np.testing.assert_array_equal(first_success(MET, 2, legal), [-1, -1, 1, -1])
    np.testing.assert_array_equal(first_success(MET, 3, legal), [-1, -1, 2, -1])
    arrives_later = np.array([[0], [0], [1]], dtype=bool)
    np.testing.assert_array_equal(first_success(arrives_later, 1, np.array([[False], [True]])), [-1])


def test_what_makes_no_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="held must be at least 1, got 0"):
        first_success(MET, 0)
    with pytest.raises(ValueError, match="4 states need 3 moves, got 4"):
        first_success(MET, 1, MET)


def test_a_world_without_a_stricter_test_says_so() -> None:
    world = make_world("counting", 1)
    assert world.meets(world.state(), "uniform").all()
    with pytest.raises(InputError, match=r"world 'counting' has no success test 'strict'; it has: usual$"):
        world.meets(world.state(), "uniform", "strict")
