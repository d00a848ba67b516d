"""Slices of a unit that evaluations at once divided in several ways: those that have the most of it together."""

from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from infra.storage import open_store
from pipelines.store.reports import Context
from pipelines.store.reports.slices import delete_slices, missing_items, slices_of, write_slice

ITEMS = 6


def apart(slices: tuple[range, ...]) -> bool:
    """Returns whether no item is in two of them."""
    return all(one.stop <= next_one.start for one, next_one in pairwise(slices))


@pytest.mark.parametrize("seed", range(12))
def test_of_slices_that_overlap_those_with_the_most_items_are_taken(tmp_path: Path, seed: int) -> None:
    store = open_store(str(tmp_path))
    every = [range(first, end) for first, end in combinations(range(ITEMS + 1), 2)]
    chosen = np.random.default_rng(seed).choice(len(every), size=7, replace=False)
    there = [every[number] for number in sorted(chosen)]
    for items in there:
        write_slice(store, "unit", items, {}, Context(run="r", code_version="0"), {})
        write_slice(store, "unit", range(ITEMS), {}, Context(run="r", code_version="0"), {}, "attempt")
    ways = [way for size in range(8) for way in combinations(there, size) if apart(way)]
    found = slices_of(store, "unit")
    assert apart(tuple(one.items for one in found)) and {one.items for one in found} <= {*there}
    assert sum(len(one.items) for one in found) == max(sum(map(len, way)) for way in ways)
    gaps = {item for gap in missing_items(found, ITEMS) for item in gap}
    assert gaps == {*range(ITEMS)} - {item for one in found for item in one.items}

    delete_slices(store, "unit")
    assert not slices_of(store, "unit")
    assert [one.items for one in slices_of(store, "unit", "attempt")] == [range(ITEMS)]
