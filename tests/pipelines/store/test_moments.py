"""Merged moments are those of all rows together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.store.datasets.moments import Moments, merge_all


@given(rows=st.integers(2, 60), cut=st.integers(1, 59), seed=st.integers(0, 1000), offset=st.sampled_from([0.0, 1e6]))
def test_merging_equals_computing_at_once(rows: int, cut: int, seed: int, offset: float) -> None:
    values = (np.random.default_rng(seed).normal(size=(rows, 3)) + offset).astype(np.float32)
    cut = min(cut, rows - 1)
    merged, whole = Moments.of(values[:cut]).merge(Moments.of(values[cut:])), Moments.of(values)
    assert merged.count == whole.count == rows
    assert merged.mean == pytest.approx(values.astype(np.float64).mean(0), rel=1e-12, abs=1e-12)
    assert merged.std == pytest.approx(values.astype(np.float64).std(0), rel=1e-6, abs=1e-9)
    assert merged.low == tuple(values.min(0)) and merged.high == tuple(values.max(0))


def test_merging_by_name_keeps_what_one_alone_has() -> None:
    one, two = Moments.of(np.ones((2, 1), np.float32)), Moments.of(np.zeros((2, 1), np.float32))
    merged = merge_all({"a": one}, {"a": two, "b": two})
    assert merged["b"] == two and merged["a"].mean == (0.5,) and merged["a"].count == 4


def test_json_keeps_every_bit() -> None:
    moments = Moments.of(np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32))
    assert Moments.model_validate_json(moments.model_dump_json()) == moments
