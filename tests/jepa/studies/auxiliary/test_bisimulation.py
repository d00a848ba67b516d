"""What must be told apart: the classes of the counting world, and the theorem on every table of small processes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jepa.studies.auxiliary.bisimulation import (
    Process,
    classes,
    counting_process,
    least_loss,
    partitions,
    random_process,
    rounds,
    separates,
)
from jepa.worlds.counting.world import TARGET, rewarded

COUNTS = np.arange(9)


@pytest.mark.parametrize(
    ("label", "steps", "expected"),
    [
        (rewarded(COUNTS), (-1, 1), 9),
        (0 * COUNTS, (-1, 1), 1),
        (rewarded(COUNTS), (1,), 6),
        (rewarded(COUNTS), (0,), 2),
        (COUNTS % 2, (-1, 1), 9),
        (COUNTS == 0, (-1, 1), 9),
        (COUNTS == 8, (-1, 1), 9),
    ],
    ids=["reward", "constant", "only +1", "no action", "parity", "target 0", "target 8"],
)
def test_the_counting_world_has_as_many_classes_as_known(
    label: NDArray[np.int64], steps: tuple[int, ...], expected: int
) -> None:
    assert classes(counting_process(label, steps)).max() + 1 == expected


def test_each_round_tells_apart_what_one_more_action_brings_to_light() -> None:
    found = rounds(counting_process(rewarded(COUNTS)))
    assert [one.max() + 1 for one in found] == [2, 4, 6, 8, 9]
    # Counts that are alike after a round are those from which the target is as many steps away on the same side, or out
    # of reach: after the second, only 3, 4 and 5 stand alone.
    alone = [count for count in COUNTS if (found[1] == found[1][count]).sum() == 1]
    assert alone == [TARGET - 1, TARGET, TARGET + 1]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), states=st.integers(2, 6), actions=st.integers(1, 3), labels=st.integers(1, 3))
def test_every_table_with_no_loss_tells_all_classes_apart(seed: int, states: int, actions: int, labels: int) -> None:
    process = random_process(np.random.default_rng(seed), states, actions, labels)
    class_S = classes(process)
    lossless = 0
    for codes in partitions(states):
        if sum(least_loss(process, codes)) == 0:
            lossless += 1
            assert separates(codes, class_S)
    # The classes themselves have no loss, and nor has one code for each state.
    assert sum(least_loss(process, class_S)) == 0 and lossless >= 1


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), states=st.integers(2, 40), size=st.integers(1, 4))
def test_codes_that_merge_two_classes_have_a_loss(seed: int, states: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    process = random_process(rng, states, 2, 3)
    class_S = classes(process)
    code_SD = rng.standard_normal((states, size))[class_S]
    assert sum(least_loss(process, code_SD)) < 1e-24 and separates(code_SD, class_S)
    if class_S.max() > 0:
        one, other = rng.choice(class_S.max() + 1, 2, replace=False)
        merged_SD = code_SD.copy()
        merged_SD[class_S == one] = code_SD[class_S == other][0]
        assert sum(least_loss(process, merged_SD)) > 1e-12 and not separates(merged_SD, class_S)


def test_the_least_loss_is_that_of_the_best_tables() -> None:
    process = Process(np.array([[1], [2], [0]]), np.array([0, 1, 1]))
    # States 0 and 1 share a code: after them comes 0 or 5, and the quantity is 0 or 1.
    assert least_loss(process, [0.0, 0.0, 5.0]) == pytest.approx((2 * 2.5**2 / 3, 2 * 0.5**2 / 3))
    assert least_loss(process, [1.0, 2.0, 5.0]) == (0, 0)
