"""Keyed permutations and hashes: pure functions of the key, uniform enough, the same bits everywhere."""

import numpy as np
import pytest

from jepa.core import keyed
from jepa.core.seeds import derive_key


@pytest.mark.parametrize("count", [1, 2, 37, keyed.FEW, keyed.FEW + 1, 5000])
def test_a_permutation_holds_every_number_once_and_depends_on_the_key(count: int) -> None:
    one, same, other = (keyed.permutation(derive_key("order", seed), count) for seed in (0, 0, 1))
    assert np.array_equal(np.sort(one), np.arange(count)) and np.array_equal(one, same)
    assert count < 3 or not np.array_equal(one, other)


def test_bits_that_stored_datasets_rest_on() -> None:
    assert keyed.mix(1, np.arange(3)).tolist() == [10451216379200822465, 13757245211066428519, 17911839290282890590]
    assert keyed.permutation(7, 8).tolist() == [1, 5, 7, 0, 4, 6, 3, 2]


def test_uniform_numbers_fill_the_unit_interval_evenly() -> None:
    values = keyed.uniform(derive_key("share", 0), np.arange(100_000))
    assert values.min() >= 0 and values.max() < 1
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    assert np.abs(counts / 5000 - 1).max() < 0.06
    # Successive inputs are what it is made for: neighbours are unrelated.
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.02
