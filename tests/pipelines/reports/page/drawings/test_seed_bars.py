"""Bars over seeds: the mean of each value's seeds, and the interval that they allow."""

import pandas as pd
import pytest

from jepa.core.errors import InputError
from pipelines.reports.page.drawings.seed_bars import over_seeds
from tests.pipelines.reports.page.drawings.subjects import drawn


def rows() -> pd.DataFrame:
    values = [("lewm", "near", 0, 0.2), ("lewm", "near", 1, 0.4), ("lewm", "far", 0, 0.1), ("ema", "near", 0, 0.7)]
    return pd.DataFrame(values, columns=["objective", "quantity", "seed", "value"])


def test_a_bar_is_the_mean_over_seeds_with_students_interval() -> None:
    held = rows()
    found = over_seeds(held[(held.objective == "lewm") & (held.quantity == "near")])
    assert found["value"] == pytest.approx(0.3)
    assert found["ci_high"] - found["value"] == pytest.approx(12.706 * 0.1, rel=1e-3)  # t of one degree of freedom
    assert pd.isna(over_seeds(held[held.objective == "ema"])["ci_low"])


def test_rows_of_one_seed_count_once() -> None:
    twice = pd.DataFrame({"seed": [0, 0, 1], "value": [0.0, 1.0, 1.5]})
    assert over_seeds(twice)["value"] == 1.0


def test_bars_are_named_and_stand_in_panels() -> None:
    (block,) = drawn("seed_bars", "study_x", rows(), label="objective", panel="quantity", title="goals reached")
    for text in ("lewm", "ema", "near", "far", "goals reached", "0.3", "0.7"):
        assert text in block.content, text
    with pytest.raises(InputError, match="option label of a chart of drawing 'seed_bars'"):
        drawn("seed_bars", "study_x", rows(), label="hue")
